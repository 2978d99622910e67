; The 9-instruction memory loop: load, add, xor, rol, add, store, add, dec, jnz over 1 MiB, OUTER times.
; Multiboot; ends with a full stop on the first serial port, and through isa-debug-exit at port 0xf4. Build: nasm -f bin -DOUTER=N
bits 32
org 0x100000
  dd 0x1badb002, 0x00010000, -(0x1badb002 + 0x00010000)
  dd 0x100000, 0x100000, image_end, 0, start
%ifndef OUTER
%define OUTER 100
%endif
TURNS equ 0x40000
start:
  mov ebp, OUTER
  mov edx, 12345
outer:
  mov esi, 0x200000
  mov edi, 0x400000
  mov ecx, TURNS
inner:
  mov eax, [esi]
  add esi, 4
  xor eax, edx
  rol eax, 5
  add edx, eax
  mov [edi], edx
  add edi, 4
  dec ecx
  jnz inner
  dec ebp
  jnz outer
  mov dx, 0x3f8
  mov al, '.'
  out dx, al
  mov al, 0
  out 0xf4, al
stop:
  hlt
  jmp stop
image_end:
