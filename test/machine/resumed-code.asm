; Resumes with RF set into code of a page that is written again and again, whose first instruction writes to other code of that page, and whose last is undefined:
; the handler gathers the flags that are pushed in EBX.
bits 16
org 0
IDT equ 0x13000
CODE equ 0x5000
start:
  cli
  lgdt [cs:gdtr]
  mov eax, cr0
  or al, 1
  mov cr0, eax
  jmp dword 8:0xf0000 + protected
align 8
gdt:
  dq 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdtr:
  dw 23
  dd 0xf0000 + gdt
idtr:
  dw 0x3f
  dd IDT
bits 32
protected:
  mov ax, 16
  mov ds, ax
  mov es, ax
  mov ss, ax
  mov esp, 0x8000
  mov dword [IDT + 6 * 8], 0x80000 + handler
  mov dword [IDT + 6 * 8 + 4], 0xf8e00
  lidt [0xf0000 + idtr]
  cld
  mov esi, 0xf0000 + code
  mov edi, CODE
  mov ecx, code_end - code
  rep movsb
  mov byte [CODE + 0x100], 0xc3
  mov edx, CODE + 0x100
  call edx
  mov ebp, 14
round:
  xor byte [CODE + increments - code], 1       ; INC ESI, INC EDI
  push dword 0xf0000 + back
  push dword 0x10002                           ; RF
  push dword 8
  push dword CODE
  mov al, 0xc3
  iretd
back:
  dec ebp
  jnz round
  mov [0x9000], ebx
  mov al, 1
  out 0xf4, al
stop:
  hlt
  jmp stop
handler:
  imul ebx, ebx, 31
  add ebx, [esp + 8]
  and dword [esp + 8], ~0x10000
  add dword [esp], 2
  iretd
code:
  mov [CODE + 0x100], al
increments:
  times 12 inc esi
  ud2
  ret
code_end:
