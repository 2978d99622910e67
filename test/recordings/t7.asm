; Sleeps and says on port 0xe9 the scancodes that interrupt 1 brings; resets after 60. nasm -f bin t7.asm -o t7.bin
bits 16
org 0
start:
  xor ax, ax
  mov ds, ax
  mov ax, 0x1000
  mov ss, ax
  mov sp, 0x1000
  mov word [9*4], key
  mov word [9*4+2], 0xf000
  mov al, 0x11
  out 0x20, al
  mov al, 8
  out 0x21, al
  mov al, 4
  out 0x21, al
  mov al, 1
  out 0x21, al
  mov al, 0xfd
  out 0x21, al
  mov al, 0x60        ; interrupts and translation on
  out 0x64, al
  mov al, 0x41
  out 0x60, al
  mov bx, 60
sleep:
  sti
  hlt
  test bx, bx
  jnz sleep
  mov al, 0xfe
  out 0x64, al
  hlt
key:
  push ax
  in al, 0x60
  out 0xe9, al
  mov al, 0x20
  out 0x20, al
  test bx, bx
  jz done
  dec bx
done:
  pop ax
  iret
times 0xfff0-($-$$) db 0
  jmp 0xf000:0
times 0x10000-($-$$) db 0
