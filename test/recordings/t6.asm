; Polls the keyboard controller while keys come in, and says on port 0xe9 what it reads; how long it takes to do so depends on what it read.
; 24 rounds, then a reset. nasm -f bin t6.asm -o t6.bin
bits 16
org 0
start:
  mov ax, 0x1000
  mov ss, ax
  mov sp, 0x1000
  mov bx, 24
  mov al, 0x20        ; no keys yet: the mode byte
  out 0x64, al
  call status
  call data
  call status
round:
  in al, 0x64
  test al, 1
  jz round
  call status
  mov al, 0xad        ; keyboard interface off
  out 0x64, al
  call status
  mov al, 0x20        ; a controller byte while scancodes wait
  out 0x64, al
  call status
  call data
  call status
  call data
  mov al, 0xae        ; on again
  out 0x64, al
  call status
  test bl, 3
  jnz next
  mov al, 0xd3        ; a byte as if from the mouse
  out 0x64, al
  mov al, bl
  out 0x60, al
  call status
  call data
  call status
next:
  dec bx
  jnz round
  mov al, 0xfe
  out 0x64, al
  cli
  hlt
status:
  in al, 0x64
  jmp say
data:
  in al, 0x60
say:
  out 0xe9, al
  movzx cx, al
  inc cx
again:
  loop again
  ret
times 0xfff0-($-$$) db 0
  jmp 0xf000:0
times 0x10000-($-$$) db 0
