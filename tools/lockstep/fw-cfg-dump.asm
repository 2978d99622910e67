; A 64 KiB firmware that writes items of the firmware configuration device to port 0xe9 and stops.
; The table at `table` (offset 0x100) holds records of key (word) and length (dword), ended by key 0xffff.
; Build: nasm -f bin fw-cfg-dump.asm
bits 16
org 0
start:
  cli
  cld
  mov ax, 0xf000
  mov ds, ax
  ; QEMU makes the ACPI tables when they are first asked for, of what firmware has set up by then: the power management function's ports
  mov eax, 0x80000b40
  mov ebx, 0x601
  call configure
  mov eax, 0x80000b80
  mov ebx, 1
  call configure
  mov si, table
next:
  lodsw
  cmp ax, 0xffff
  je stop
  mov dx, 0x510
  out dx, ax
  mov ecx, [si]
  add si, 4
  mov dx, 0x511
emit:
  test ecx, ecx
  jz next
  in al, dx
  out 0xe9, al
  dec ecx
  jmp emit
stop:
  mov al, 0
  out 0xf4, al
  hlt
  jmp stop
configure:
  mov dx, 0xcf8
  out dx, eax
  mov dx, 0xcfc
  mov eax, ebx
  out dx, eax
  ret
times 0x100 - ($ - $$) db 0
table:
times 0xfff0 - ($ - $$) db 0xff
  jmp 0xf000:start
times 0x10000 - ($ - $$) db 0
