; Firmware that switches the machine off when it is started first, and sleeps when it is started again: RAM outlives a reset. Assembled by nasm -f bin.
        bits 16
        org 0
PM      equ 0x600
start:  xor ax, ax
        mov ds, ax
        inc word [0x500]
        cmp word [0x500], 2
        je awake
        mov dx, 0xcf8
        mov eax, 0x80000b40
        out dx, eax
        mov dx, 0xcfc
        mov eax, PM | 1
        out dx, eax
        mov dx, 0xcf8
        mov eax, 0x80000b80
        out dx, eax
        mov dx, 0xcfc
        mov al, 1
        out dx, al
        mov dx, PM + 4
        mov ax, 0x2000
        out dx, ax
        jmp $
awake:  hlt
        jmp awake
