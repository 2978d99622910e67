; Does what depends on more than registers and memory, and gathers what it sees of it in EBX.
; Clears accessed and dirty bits and changes mappings without a flush, reads and writes on, and gathers the page table entries; now and then it flushes one page or all.
; Resumes with RF set, and looks at the flags that an interrupt behind pushes. Traps by INTO, which counts what is behind it in its block.
bits 16
org 0
IDT equ 0x13000
TABLE equ 0x12000        ; of linear 400000h and up
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
  dw 0x407
  dd IDT
bits 32
protected:
  mov ax, 16
  mov ds, ax
  mov es, ax
  mov ss, ax
  mov esp, 0x8000
  mov dword [0x10000], 0x11007
  mov dword [0x10004], TABLE + 7
  mov dword [0x10008], 0x87     ; linear 800000h: a page of 4 MiB
  mov edi, 0x11000
  mov eax, 7
identity:
  stosd
  add eax, 0x1000
  cmp eax, 0x20007
  jb identity
  mov edi, 0x11000 + 0xf0 * 4
  mov eax, 0xf0007
  stosd
  mov edi, TABLE
  mov eax, 0x100007
data:
  stosd
  add eax, 0x1000
  cmp eax, 0x110007
  jb data
  mov eax, 0x80000 + handler      ; selector 8, low half of the address
  mov [IDT + 0x80 * 8], eax
  mov [IDT + 4 * 8], eax
  mov eax, 0xf8e00
  mov [IDT + 0x80 * 8 + 4], eax
  mov [IDT + 4 * 8 + 4], eax
  lidt [0xf0000 + idtr]
  mov eax, cr4
  or al, 0x10
  mov cr4, eax
  mov eax, 0x10000
  mov cr3, eax
  mov eax, cr0
  or eax, 0x80000000
  mov cr0, eax
  mov dword [0x40f000], 0xd00005ff      ; inc dword [40d000h]; ret
  mov dword [0x40f004], 0x00c30040
  mov edi, 0x40f000
  mov ebp, 8
round:
  mov eax, [0x400000]
  and dword [TABLE], ~0x60
  add eax, [0x400000]
  mov [0x401000], ebp
  and dword [TABLE + 4], ~0x60
  mov ecx, 3
  jmp again               ; begins a block: generated code looks once to read and write
again:
  inc dword [0x401000]
  loop again
  add eax, [0x402000]
  xor dword [TABLE + 8], 0x1000
  add eax, [0x402000]
  test ebp, 2
  jz unwritten
  mov [0x402000], eax
unwritten:
  add eax, [0x402000]
  xor ebx, eax
  call edi
  and dword [TABLE + 0xf * 4], ~0x20
  call edi
  mov esi, TABLE
  mov ecx, 16
gather:
  imul ebx, ebx, 31
  add ebx, [esi]
  add esi, 4
  loop gather
  test ebp, 3
  jnz small
  add ebx, [0x800000]
small:
  test ebp, 1
  jnz round_done
  invlpg [0x400000]
  test ebp, 6
  jnz round_done
  mov eax, cr3
  mov cr3, eax
round_done:
  push dword 0x10002              ; RF
  push dword 8
  push dword 0xf0000 + resumed
  iretd
resumed:
  nop
  nop
  int 0x80
  mov al, 0x7f
  add al, 1
  into
  nop
  nop
  nop
  dec ebp
  jnz round
  mov [0x9000], ebx
  mov al, 1
  out 0xf4, al
  jmp stop
handler:
  imul ebx, ebx, 31
  add ebx, [esp + 8]
  iretd
stop:
  hlt
  jmp stop
