; ROM of sse-control.test.ts: runs each case, a few bytes of code under given CR0 and CR4, and writes 12 bytes about it to the debug console.
; The file starts with the cases (0xe0000): one record for their number, then CR0, CR4 and 24 bytes of code each.

CASES           equ 0xe0000
ROM             equ 0xf0000
IDT             equ 0x1000
MEMORY          equ 0x2000
FX              equ 0x2400
CODE            equ 0x3000
NEXT            equ 0x4000
LEFT            equ 0x4004
STACK           equ 0x9000

        org ROM
        bits 32
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
        pushad
        mov dword [esp + 12], 0
        cld
        mov eax, 0x33
        mov cr0, eax
        mov eax, 0x600
        mov cr4, eax
        fxsave [FX]
        ; checksum: general registers, flags, MXCSR, MM and XMM registers, memory
        xor ebp, ebp
        mov esi, esp
        mov ecx, 8
        call add_words
        mov eax, [esp + 48]
        and eax, 0x8d5
        rol ebp, 5
        add ebp, eax
        mov esi, FX + 24
        mov ecx, 1
        call add_words
        mov esi, FX + 32
        mov ecx, 64
        call add_words
        mov esi, MEMORY
        mov ecx, 8
        call add_words
        mov al, [esp + 32]
        out 0xe9, al
        mov eax, [esp + 40]
        sub eax, CODE
        out 0xe9, al
        mov ax, [FX + 2]
        out 0xe9, al
        mov al, ah
        out 0xe9, al
        mov al, [FX + 4]
        out 0xe9, al
        xor al, al
        out 0xe9, al
        out 0xe9, al
        out 0xe9, al
        mov ecx, 4
.sum:   mov eax, ebp
        out 0xe9, al
        shr ebp, 8
        loop .sum

next_case:
        dec dword [LEFT]
        js done
        mov esp, STACK
        mov ebx, [NEXT]
        add dword [NEXT], 32
        lea esi, [ebx + 8]
        mov edi, CODE
        mov ecx, 6
        rep movsd
        mov byte [edi], 0xcc
        mov eax, 0x33
        mov cr0, eax
        mov eax, 0x600
        mov cr4, eax
        mov esi, ROM + (image - $$)
        mov edi, FX
        mov ecx, 128
        rep movsd
        fxrstor [FX]
        mov edi, MEMORY
        mov esi, FX + 160
        mov ecx, 8
        rep movsd
        push dword 2
        popfd
        mov eax, [ebx + 4]
        mov cr4, eax
        mov eax, [ebx]
        mov cr0, eax
        mov eax, 0x11111111
        mov ecx, 0x22222222
        mov edx, 0x33333333
        mov ebx, 0x44444444
        mov ebp, 0x55555555
        mov esi, MEMORY
        mov edi, MEMORY
        jmp CODE

add_words:
        lodsd
        rol ebp, 5
        add ebp, eax
        loop add_words
        ret

done:
        mov dx, 0xf4
        xor eax, eax
        out dx, eax
        hlt
        jmp done

protected:
        mov ax, 0x10
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov esp, STACK
        mov edi, IDT
        mov eax, ROM
        mov ecx, 32
.gate:  mov [edi], ax
        mov word [edi + 2], 8
        mov dword [edi + 4], (ROM & 0xffff0000) | 0x8e00
        add eax, 16
        add edi, 8
        loop .gate
        lidt [ROM + (idtr - $$)]
        mov eax, [CASES]
        mov [LEFT], eax
        mov dword [NEXT], CASES + 32
        jmp next_case

        align 16
        db '........FXIMAGE:'
image:  times 512 db 0          ; FXSAVE image, filled in by the test
gdt:    dq 0
        dq 0x00cf9b000000ffff
        dq 0x00cf93000000ffff
gdtr:   dw 23
        dd ROM + (gdt - $$)
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
