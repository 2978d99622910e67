; Writes a disk by bus-master DMA and reads it back, piece by piece, with all it can see of the controller meanwhile gathered in EBX.
; The processor counts how often it looks at the status before each request completes, resets the channel once with a read under way, and takes the interrupt.
bits 16
org 0
%include "src/cli/demo/pics.inc"
BUS_MASTER equ 0xc000
TABLE equ 0x1000
BUFFER equ 0x2000
BACK equ 0x8000
ROUNDS equ 4
start:
  cli
  xor ax, ax
  mov ds, ax
  mov es, ax
  mov ss, ax
  mov sp, 0x7000
  cld
  ; The IDE function: I/O base of the bus master, I/O and bus mastering on.
  mov ecx, 0x80000920
  mov eax, BUS_MASTER
  call configure
  mov ecx, 0x80000904
  mov eax, 5
  call configure
  ; Interrupt 14 at vector 0x76.
  mov word [0x76 * 4], handler
  mov word [0x76 * 4 + 2], cs
  INIT_PICS 8, 0x70, 0xfb, 0xbf
  sti
  xor ebx, ebx
  mov ebp, ROUNDS
round:
  mov di, BUFFER + 0x3c0  ; what is written depends on all that was seen
  call fill
  mov di, BUFFER + 0x1000
  call fill
  mov eax, BUFFER
  call table
  mov al, 0xca            ; WRITE DMA
  mov ah, 0x01            ; from memory to the disk
  call transfer
  test ebp, 3
  jnz read
  mov eax, BACK           ; a read that is given up: reset by software
  call table
  mov al, 0xc8
  mov ah, 0x09
  call request
  mov dx, 0x3f6
  mov al, 4
  out dx, al
  call look
  xor al, al
  out dx, al
  mov cx, 200
settle:
  call look
  loop settle
  mov dx, BUS_MASTER
  xor al, al
  out dx, al
read:
  mov eax, BACK
  call table
  mov al, 0xc8            ; READ DMA
  mov ah, 0x09
  call transfer
  mov si, BACK + 0x3c0
  call gather
  mov si, BACK + 0x1000
  call gather
  dec ebp
  jnz round
  mov [0x500], ebx
  mov dx, 0xf4
  mov al, 1
  out dx, al
stop:
  hlt
  jmp stop

fill:
  mov cx, 16
filling:
  imul ebx, ebx, 69069
  inc ebx
  mov eax, ebx
  stosd
  loop filling
  ret

gather:
  mov cx, 16
gathering:
  lodsd
  imul ebx, ebx, 31
  add ebx, eax
  loop gathering
  ret

; Register ECX of a PCI function gets EAX.
configure:
  xchg eax, ecx
  mov dx, 0xcf8
  out dx, eax
  mov dx, 0xcfc
  xchg eax, ecx
  out dx, eax
  ret

; Two descriptors: 1 KiB at EAX, 512 bytes 0x1000 behind.
table:
  mov [TABLE], eax
  mov dword [TABLE + 4], 0x400
  add eax, 0x1000
  mov [TABLE + 8], eax
  mov dword [TABLE + 12], 0x80000200
  mov dx, BUS_MASTER + 4
  mov eax, TABLE
  out dx, eax
  ret

; Three sectors from sector EBP * 8 on. AL: command, AH: of the bus master.
request:
  push ax
  mov dx, BUS_MASTER + 2
  mov al, 6
  out dx, al
  mov dx, 0x1f2
  mov al, 3
  out dx, al
  inc dx
  mov ax, bp
  shl al, 3
  out dx, al
  inc dx
  xor al, al
  out dx, al
  inc dx
  out dx, al
  inc dx
  mov al, 0xe0
  out dx, al
  inc dx
  pop ax
  out dx, al
  call look
  mov dx, BUS_MASTER
  mov al, ah
  out dx, al
  ret

transfer:
  mov byte [0x600], 0
  call request
busy:
  call look
  cmp byte [0x600], 0
  je busy
  mov dx, BUS_MASTER
  xor al, al
  out dx, al
  ret

; Adds the status of the channel and of the bus master to EBX.
look:
  push ax
  push dx
  mov dx, 0x3f6
  in al, dx
  imul ebx, ebx, 31
  movzx eax, al
  add ebx, eax
  mov dx, BUS_MASTER + 2
  in al, dx
  imul ebx, ebx, 31
  movzx eax, al
  add ebx, eax
  pop dx
  pop ax
  ret

handler:
  push ax
  push dx
  mov byte [0x600], 1
  mov dx, 0x1f7
  in al, dx
  mov al, 0x20
  out 0xa0, al
  out 0x20, al
  pop dx
  pop ax
  iret
