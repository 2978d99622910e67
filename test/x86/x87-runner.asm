; Runs x87 cases that lie in RAM (layout: x87-image.ts) and leaves what became of them in the same place. A 64 KiB BIOS image: the last 64 KiB
; below 1 MiB and below 4 GiB. Ends with a write to isa-debug-exit.
SNIPPETS equ 0x100000
COUNT    equ 0x10fff0
CASES    equ 0x200000
SIZE     equ 160

        org 0
        bits 16
start:  cli
        o32 lgdt [cs:gdtr]
        mov eax, cr0
        and al, 0xf1            ; EM, TS, MP off
        or al, 0x21             ; NE, PE
        mov cr0, eax
        jmp dword 8:0xf0000 + pm
        bits 32
pm:     mov eax, 16
        mov ds, eax
        mov es, eax
        mov ss, eax
        mov esp, 0x80000
        mov eax, 0x200          ; OSFXSR
        mov cr4, eax
        mov ecx, [COUNT]
        mov esi, CASES
next:   mov edi, [esi]
        shl edi, 4
        add edi, SNIPPETS
        frstor [esi + 16]
        lea ebx, [esi + 128]
        mov eax, [esi + 4]
        push dword [esi + 8]
        popfd
        call edi
        pushfd
        pop dword [esi + 8]
        mov [esi + 4], eax
        fnsave [esi + 16]
        add esi, SIZE
        dec ecx
        jnz next
        mov dx, 0x501
        out dx, al
        jmp $
        align 8
gdt:    dq 0
        dq 0x00cf9b000000ffff
        dq 0x00cf93000000ffff
gdtr:   dw 23
        dd 0xf0000 + gdt
        times 0xfff0 - ($ - $$) db 0
        jmp start
        times 0x10000 - ($ - $$) db 0
