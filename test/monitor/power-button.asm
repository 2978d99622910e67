; Firmware that waits for the power button, and switches the machine off when ACPI tells of it. Assembled by nasm -f bin in the repository's folder.
        bits 16
        org 0
        %include "src/cli/demo/pics.inc"
PM      equ 0x600

start:  xor ax, ax
        mov ds, ax
        mov ss, ax
        mov sp, 0x7000
        mov word [0x71 * 4], pressed
        mov [0x71 * 4 + 2], cs
; LINT0 of the local APIC lets the interrupt controllers through (no segment limits are checked here, nor in QEMU).
        mov ecx, 0xfee00350
        mov dword [ecx], 0x700
; The power management function of the PIIX4: its registers at PM, decoded.
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
; The interrupt controllers: IRQ 8 at vector 0x70, all masked but IRQ 2 and 9.
        INIT_PICS 0x08, 0x70, 0xfb, 0xfd
; ACPI is enabled, and so is the power button.
        mov al, 0xf1
        out 0xb2, al
        mov dx, PM + 2
        mov ax, 0x100
        out dx, ax
        sti
sleep:  hlt
        jmp sleep

; PWRBTN_STS? Then SLP_EN with SLP_TYP 0, which is soft off.
pressed:
        mov dx, PM
        in ax, dx
        test ax, 0x100
        jz .other
        out dx, ax
        mov dx, PM + 4
        mov ax, 0x2000
        out dx, ax
.other: mov al, 0x20
        out 0xa0, al
        out 0x20, al
        iret
