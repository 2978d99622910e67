; A Linux kernel as far as boot loaders can tell (boot.rst, "The real-mode kernel header"): writes what it was given to port 0xe9 and leaves through port 0xf4.
; It does so in real mode, and differently at its 32-bit entry.
; Build: nasm -f bin
bits 16
org 0
  times 0x1f1 - ($ - $$) db 0
  db 1                              ; setup_sects
  dw 0
  dd 0
  dw 0, 0, 0
  dw 0xaa55
  jmp short start                   ; 0x200
  db 'HdrS'
  dw 0x20c                          ; protocol
  times 0x211 - ($ - $$) db 0
  db 1                              ; loaded high
  dw 0
  dd 0x100000
  times 0x22c - ($ - $$) db 0
  dd 0x7fffffff                     ; highest address of a RAM disk
  times 0x240 - ($ - $$) db 0
start:
  pushad
  mov ax, ss
  mov [cs:ss_there - 0x200], ax     ; cs is 0x20 paragraphs above ds
  mov ax, cs
  mov [cs:cs_there - 0x200], ax
  ; registers but eax and esi, segments, stack pointer
  mov bp, sp
  mov si, sp
  mov cx, 4
  call out_ss                       ; edi
  mov si, bp
  add si, 8
  mov cx, 20                        ; ebp, esp, ebx, edx, ecx
  call out_ss
  mov si, 0x1f1
  mov cx, 0x240 - 0x1f1
  call out_ds
  mov si, cs_there
  mov cx, 4
  call out_ds
  ; command line
  mov eax, [0x228]
  shr eax, 4
  mov fs, ax
  xor si, si
text:
  mov al, [fs:si]
  inc si
  out 0xe9, al
  test al, al
  jnz text
  ; beginnings of the kernel proper and of the RAM disk, fetched by INT 15h, AH=87h
  mov eax, 0x100000
  call fetch
  mov eax, [0x218]
  call fetch
  mov al, 0
  out 0xf4, al
  hlt

out_ds:
  lodsb
  out 0xe9, al
  loop out_ds
  ret
out_ss:
  ss lodsb
  out 0xe9, al
  loop out_ss
  ret

; writes 8 bytes from linear address eax
fetch:
  mov [gdt + 0x12], eax
  mov byte [gdt + 0x15], 0x93
  shr eax, 24
  mov [gdt + 0x17], al
  xor eax, eax
  mov ax, ds
  shl eax, 4
  add eax, buffer
  mov [gdt + 0x1a], eax
  mov byte [gdt + 0x1d], 0x93
  mov ax, ds
  mov es, ax
  mov si, gdt
  mov cx, 4
  mov ah, 0x87
  int 0x15
  mov si, buffer
  mov cx, 8
  jmp out_ds

cs_there: dw 0
ss_there: dw 0
gdt: times 16 db 0
  dw 0xffff, 0, 0x9300, 0
  dw 0xffff, 0, 0x9300, 0
  times 16 db 0
buffer: times 8 db 0
  times 0x400 - ($ - $$) db 0
bits 32
kernel:
  jmp short entry32
  db 'KERNEL'
; Entry of the 32-bit boot protocol: selectors, memory map, command line, RAM disk, RSDP and the signature that it leads to
entry32:
  mov edx, 0xe9
  mov ax, cs
  out 0xe9, al
  mov ax, ds
  out 0xe9, al
  mov ax, ss
  out 0xe9, al
  mov ebx, esi
  mov al, [ebx + 0x1e8]
  out 0xe9, al
  movzx ecx, al
  imul ecx, ecx, 20
  lea esi, [ebx + 0x2d0]
  rep outsb
  mov esi, [ebx + 0x228]
text32:
  lodsb
  out 0xe9, al
  test al, al
  jnz text32
  mov esi, [ebx + 0x218]
  mov ecx, 8
  rep outsb
  mov esi, 0xf0000
  mov ecx, 8
  rep outsb
  mov esi, [0xf0010]
  mov ecx, 4
  rep outsb
  mov al, 0
  out 0xf4, al
  hlt
  times 5000 db 0x5a
