; ROM of the judge machine: runs every case prepared by image.ts in CPL 3 and writes down what became of it.
; Addresses agree with image.ts. Leaves through isa-debug-exit (port 0xf4): 0 all done, 1 an exception in the ROM itself.

GDT             equ 0x1000
IDT             equ 0x2000
PAGE_DIRECTORY  equ 0x4000
PARAMETERS      equ 0x500
CURRENT_IN      equ 0x510
CURRENT_OUT     equ 0x514
CASES_LEFT      equ 0x518
PANIC_VECTOR    equ 0x51c
PANIC_EIP       equ 0x520
STACK           equ 0x9f000
CODE            equ 0x310800
ROM             equ 0xf0000

; words of a case
IN_EFLAGS       equ 32
IN_EIP          equ 36
IN_CS           equ 40
IN_SS           equ 44
IN_DS           equ 48
IN_ES           equ 52
IN_FS           equ 56
IN_GS           equ 60
IN_FX           equ 64
IN_CODE         equ 128
IN_WINDOWS      equ 256
IN_BYTES        equ 768
; words of a result
OUT_EFLAGS      equ 32
OUT_EIP         equ 36
OUT_VECTOR      equ 40
OUT_ERROR       equ 44
OUT_CR2         equ 48
OUT_WINDOWS     equ 64
OUT_BYTES       equ 576

        org ROM
        bits 32

; The stubs come first, 16 bytes each: image.ts points the IDT here.
%assign vector 0
%rep 32
        align 16
    %if vector = 8 || (vector >= 10 && vector <= 14) || vector = 17
    %else
        push dword 0
    %endif
        push dword vector
        jmp near exception
    %assign vector vector + 1
%endrep
        align 16

exception:
        ; stack: vector, error code, eip, cs, eflags, esp, ss
        pushad
        mov ax, 0x10
        mov ds, ax
        mov es, ax
        cld
        test dword [esp + 32 + 16], 0x20000
        jnz .from_case
        test byte [esp + 32 + 12], 3
        jz panic
.from_case:
        mov edx, [CURRENT_IN]
        mov ecx, [edx + IN_FX + 4]
        jecxz .no_fx
        fxsave [ecx]
.no_fx:
        mov ebx, [CURRENT_OUT]
        mov eax, [esp + 28]
        mov [ebx], eax
        mov eax, [esp + 24]
        mov [ebx + 4], eax
        mov eax, [esp + 20]
        mov [ebx + 8], eax
        mov eax, [esp + 16]
        mov [ebx + 12], eax
        mov eax, [esp + 32 + 20]
        mov [ebx + 16], eax
        mov eax, [esp + 8]
        mov [ebx + 20], eax
        mov eax, [esp + 4]
        mov [ebx + 24], eax
        mov eax, [esp]
        mov [ebx + 28], eax
        mov eax, [esp + 32 + 16]
        mov [ebx + OUT_EFLAGS], eax
        mov eax, [esp + 32 + 8]
        mov [ebx + OUT_EIP], eax
        mov eax, [esp + 32]
        mov [ebx + OUT_VECTOR], eax
        mov eax, [esp + 32 + 4]
        mov [ebx + OUT_ERROR], eax
        mov eax, cr2
        mov [ebx + OUT_CR2], eax
        lea edi, [ebx + OUT_WINDOWS]
        mov esi, 0x300f80
        mov ecx, 64
        rep movsd
        mov esi, 0x301f80
        mov ecx, 32
        rep movsd
        mov esi, 0x303000
        mov ecx, 32
        rep movsd
        add dword [CURRENT_OUT], OUT_BYTES
        add dword [CURRENT_IN], IN_BYTES
        dec dword [CASES_LEFT]
        mov esp, STACK

next_case:
        cmp dword [CASES_LEFT], 0
        je done
        mov edx, [CURRENT_IN]
        ; nothing of the case before stays in the pages of the windows
        xor eax, eax
        mov edi, 0x300000
        mov ecx, 0x800
        rep stosd
        lea esi, [edx + IN_CODE]
        mov edi, CODE
        mov ecx, 32
        rep movsd
        lea esi, [edx + IN_WINDOWS]
        mov edi, 0x300f80
        mov ecx, 64
        rep movsd
        mov edi, 0x301f80
        mov ecx, 32
        rep movsd
        mov edi, 0x303000
        mov ecx, 32
        rep movsd
        mov ecx, [edx + IN_FX]
        jecxz .no_fx
        fxrstor [ecx]
.no_fx:
        push dword [edx + IN_SS]
        push dword [edx + 16]
        push dword [edx + IN_EFLAGS]
        push dword [edx + IN_CS]
        push dword [edx + IN_EIP]
        mov eax, [edx]
        mov ecx, [edx + 4]
        mov ebx, [edx + 12]
        mov ebp, [edx + 20]
        mov esi, [edx + 24]
        mov edi, [edx + 28]
        push dword [edx + IN_DS]
        push dword [edx + 8]
        mov fs, [edx + IN_FS]
        mov gs, [edx + IN_GS]
        mov es, [edx + IN_ES]
        pop edx
        pop ds
        iret

done:
        xor eax, eax
        jmp leave_machine
panic:
        mov eax, [esp + 32]
        mov [PANIC_VECTOR], eax
        mov eax, [esp + 32 + 8]
        mov [PANIC_EIP], eax
        mov eax, 1
leave_machine:
        mov dx, 0xf4
        out dx, eax
        hlt
        jmp leave_machine

        bits 32
protected:
        mov ax, 0x10
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov esp, STACK
        lidt [ROM + (idtr - $$)]
        mov eax, PAGE_DIRECTORY
        mov cr3, eax
        mov eax, cr4
        or eax, 0x600
        mov cr4, eax
        mov eax, cr0
        and eax, ~0x1000c
        or eax, 0x80000022
        mov cr0, eax
        mov ax, 0x40
        ltr ax
        fninit
        mov eax, [PARAMETERS]
        mov [CASES_LEFT], eax
        mov eax, [PARAMETERS + 4]
        mov [CURRENT_IN], eax
        mov eax, [PARAMETERS + 8]
        mov [CURRENT_OUT], eax
        jmp next_case

gdtr:   dw 0x47
        dd GDT
idtr:   dw 0xff
        dd IDT

        bits 16
real:
        cli
        o32 lgdt [cs:gdtr - $$]
        mov eax, cr0
        or al, 1
        mov cr0, eax
        jmp dword 8:protected

        times 0xfff0 - ($ - $$) db 0
        jmp 0xf000:(real - $$)
        times 0x10000 - ($ - $$) db 0
