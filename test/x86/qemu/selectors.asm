bits 16
org 0
%define B 0xf0000
start:
  cli
  mov ax,0xf000
  mov ds,ax
  o32 lgdt [cs:gdtr0]
  mov eax,cr0
  or al,1
  mov cr0,eax
  jmp dword 8:(B+pm)
gdtr0: dw 0x3f
  dd B+gdt
bits 32
%macro OUTB 1
  mov al,%1
  out 0xe9,al
%endmacro
%macro RES 0
  mov dword [resume],B+%%r
  %push x
  %define %$r %%r
%endmacro
; TRY: set resume label; code follows; END: mark success and label
%macro TRY 0
  mov dword [resume],B+%$end
%endmacro
%define resume 0x7000
%define GDT 0x10000
%define IDT 0x8000
%define TSS0 0x9000
%define TSS1 0x9200
%define TSS2 0x9400
%define TSS16 0x9600
%define LDT 0x9800
pm:
  mov ax,16
  mov ds,ax
  mov es,ax
  mov ss,ax
  mov fs,ax
  mov gs,ax
  mov esp,0x70000
  ; copy gdt to RAM
  mov esi,B+gdt
  mov edi,GDT
  mov ecx,(gdtend-gdt)/4
  rep movsd
  lgdt [B+gdtr]
  ; idt
  mov edi,IDT
  mov edx,B+stubs
  mov ecx,256
.l: mov eax,edx
  mov [edi],ax
  mov word [edi+2],8
  mov word [edi+4],0x8e00
  shr eax,16
  mov [edi+6],ax
  add edi,8
  add edx,10
  loop .l
  mov word [IDT+0x80*8+4],0xee00
  mov word [IDT+0x83*8+4],0xef00
  lidt [B+idtr]
  mov dword [TSS0+4],0x60000
  mov dword [TSS0+8],16
  mov dword [TSS0+12],0x61000
  mov dword [TSS0+16],0x91   ; ring1 stack
  mov word [TSS0+0x66],0x68
  mov word [TSS0+0x68],0
  mov word [TSS0+0x6a],0xff00
  mov byte [TSS0+0x6c],0
  mov ax,0x30
  ltr ax
  mov ax,0x38
  lldt ax
  ; ---- fuzz selectors x operations
  mov ebp,0       ; index
fz:
  mov ebx,ebp
  and ebx,3      ; rpl
  mov eax,ebp
  shr eax,2
  lea ebx,[ebx+eax*8+0x100]
  cmp ebx,gdtend-gdt+16
  jae fzend
  mov [0x7010],ebp
  mov [0x7014],ebx
  OUTB 0x01
  mov ecx,ebx
  call out16
  mov dword [resume],B+f1
  mov ds,bx
  OUTB 0x11
f1: call sane
  mov dword [resume],B+f2
  mov ss,bx
  OUTB 0x12
f2: call sane
  mov dword [resume],B+f3
  mov gs,bx
  mov ax,gs
  OUTB 0x13
f3: call sane
  mov dword [resume],B+f4
  xor eax,eax
  lar eax,ebx
  lahf
  call out32
  xor eax,eax
  lsl eax,ebx
  lahf
  call out32
  verr bx
  lahf
  call out32
  verw bx
  lahf
  call out32
f4: mov dword [resume],B+f5
  mov [0x7100],ebx
  mov word [0x7104],bx
  mov dword [0x7100],B+landed
  mov eax,[GDT+0x300]
  jmp far [0x7100]
f5: call sane
  mov dword [resume],B+f6
  call far [0x7100]
f6: call sane
  mov dword [resume],B+f7
  push ebx
  push dword B+landed
  retf
f7: call sane
  mov dword [resume],B+f8
  push dword 0x5ff00
  push dword 0x91
  pushfd
  push ebx
  push dword B+landed
  mov dword [0x5ff00],0
  iretd
f8: call sane
  mov dword [resume],B+f9
  push ebx
  push dword 0x5ff00
  push dword 0x0b+0x40     ; ring3 code
  push dword B+landed3
  retf
f9: call sane
  mov dword [resume],B+f10
  lldt bx
  OUTB 0x14
f10: call sane
  mov ax,0x38
  lldt ax
  mov dword [resume],B+f11
  mov ax,bx
  ltr ax
  str ax
  call out32
f11: call sane
  call retr
  mov dword [resume],B+f12
  mov ax,bx
  mov word [IDT+0x82*8+2],bx
  int 0x82
f12: call sane
  inc ebp
  jmp fz
fzend:
  jmp part2

sane: ; ds flat already by handler or restore here
  mov ax,cs:[B+flat]
  mov ds,ax
  mov es,ax
  mov ss,ax
  mov fs,ax
  mov gs,ax
  pop eax
  mov esp,0x70000
  mov ebp,[0x7010]
  mov ebx,[0x7014]
  jmp eax
flat: dw 16
retr: and byte [GDT+0x35],0xfd
  mov ax,0x30
  ltr ax
  ret
landed:
  OUTB 0x20
  mov ax,cs
  call out32
  mov ax,ss
  call out32
  mov eax,esp
  call out32
  pushfd
  pop eax
  call out32
  ; back to ring 0 by int 0x80
  int 0x80
landed3:
  mov ax,cs
  mov bx,ds
  mov cx,es
  mov dx,fs
  mov si,gs
  int 0x80
out32: push ecx
  push eax
  mov ecx,4
.l: out 0xe9,al
  shr eax,8
  loop .l
  pop eax
  pop ecx
  ret
out16: push eax
  mov eax,ecx
  out 0xe9,al
  mov al,ah
  out 0xe9,al
  pop eax
  ret
cmn: ; stack: vec, [err], eip, cs, eflags, [esp ss]
  pushad
  push ds
  push es
  mov ax,16
  mov ds,ax
  mov es,ax
  OUTB 0xee
  mov esi,esp
  mov ecx,18
.l: mov eax,[ss:esi]
  add esi,4
  cmp ecx,14
  jz .skip    ; nothing
.skip:
  call out32
  loop .l
  mov eax,cr2
  call out32
  mov ax,ss
  call out32
  mov eax,esp
  call out32
  ; reload tr sane
  pop es
  pop ds
  popad
  mov ax,16
  mov ss,ax
  mov esp,0x70000
  mov ds,ax
  mov es,ax
  mov fs,ax
  mov gs,ax
  jmp [ss:resume]
part2:
  ; task switches
  %macro T 1
  OUTB %1
  %endmacro
  T 0x50
  mov ax,16
  ; TSS1: 32 bit task
  mov edi,TSS1
  mov ecx,0x80/4
  xor eax,eax
  rep stosd
  mov edi,TSS1
  mov dword [edi+0x20],B+task1
  mov dword [edi+0x24],0x2
  mov dword [edi+0x28],0x11111111
  mov dword [edi+0x2c],0x22222222
  mov dword [edi+0x38],0x68000
  mov dword [edi+0x48],16
  mov dword [edi+0x4c],8
  mov dword [edi+0x50],16
  mov dword [edi+0x54],16
  mov dword [edi+0x58],16
  mov dword [edi+0x5c],16
  mov dword [edi+0x60],0x38
  mov dword [resume],B+.t1
  call 0xa0:0x12345678
  OUTB 0x51
  pushfd
  pop eax
  call out32
  mov eax,cr0
  call out32
  clts
.t1: call sane
  call dumptss
  mov dword [TSS1+0x20],B+task1j
  mov dword [resume],B+.t2
  jmp 0xa0:0
.t2: call sane
  call dumptss
  str ax
  call out32
  ; task gate call
  call resettasks
  mov dword [TSS1+0x20],B+task1
  mov dword [resume],B+.t3
  call 0xa8:0
  OUTB 0x52
.t3: call sane
  call dumptss
  ; interrupt task gate for #GP with error code
  mov dword [IDT+13*8],0x00a00000
  mov dword [IDT+13*8+4],0x00008500
  mov dword [TSS1+0x20],B+taskgp
  mov dword [resume],B+.t4
  mov ax,0xfff8
  mov ds,ax
  OUTB 0x53
.t4: call sane
  call dumptss
  call resettasks
  ; bad LDT in new task
  mov dword [TSS1+0x60],0x3c
  mov dword [resume],B+.t5
  call 0xa0:0
.t5: call sane
  call dumptss
  call resettasks
  mov dword [TSS1+0x60],0x38
  mov dword [TSS1+0x50],0x93
  mov dword [resume],B+.t6
  call 0xa0:0
.t6: call sane
  call dumptss
  call resettasks
  mov dword [TSS1+0x50],16
  mov dword [TSS1+0x54],8+0x58
  mov dword [resume],B+.t7
  call 0xa0:0
.t7: call sane
  call dumptss
  call resettasks
  ; ring3
  mov dword [TSS1+0x54],16
%macro RING3 1
  mov dword [resume],B+%%e
  mov eax,%1
  push dword 0x93
  push dword 0x5f000
  push dword 0x3002 & 0x2
  push dword 0x4b
  push dword B+%%u
  mov dx,0x93
  iretd
%%u:
%endmacro
%macro R3E 0
%endmacro
%assign n 0
%macro U3 1+
%assign n n+1
  mov dword [resume],B+e%[n]
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u%[n]
  iretd
u%[n]:
  mov dx,0x93
  mov ds,dx
  mov es,dx
  %1
  int 0x80
e%[n]: call sane
%endmacro
%define flagsv 0x7200
  mov dword [flagsv],2
  mov dword [resume],B+e1x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u1x
  iretd
u1x: mov dx,0x93
  mov ds,dx
  mov es,dx
  nop
  int 0x80
e1x: call sane
  mov dword [resume],B+e2x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u2x
  iretd
u2x: mov dx,0x93
  mov ds,dx
  mov es,dx
  cli
  int 0x80
e2x: call sane
  mov dword [resume],B+e3x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u3x
  iretd
u3x: mov dx,0x93
  mov ds,dx
  mov es,dx
  sti
  int 0x80
e3x: call sane
  mov dword [resume],B+e4x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u4x
  iretd
u4x: mov dx,0x93
  mov ds,dx
  mov es,dx
  hlt
  int 0x80
e4x: call sane
  mov dword [resume],B+e5x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u5x
  iretd
u5x: mov dx,0x93
  mov ds,dx
  mov es,dx
  in al,0x70
  int 0x80
e5x: call sane
  mov dword [resume],B+e6x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u6x
  iretd
u6x: mov dx,0x93
  mov ds,dx
  mov es,dx
  in al,0x0
  int 0x80
e6x: call sane
  mov dword [resume],B+e7x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u7x
  iretd
u7x: mov dx,0x93
  mov ds,dx
  mov es,dx
  out 0xe8,al
  int 0x80
e7x: call sane
  mov dword [resume],B+e8x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u8x
  iretd
u8x: mov dx,0x93
  mov ds,dx
  mov es,dx
  in ax,0x7
  int 0x80
e8x: call sane
  mov dword [resume],B+e9x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u9x
  iretd
u9x: mov dx,0x93
  mov ds,dx
  mov es,dx
  in al,0x8
  int 0x80
e9x: call sane
  mov dword [resume],B+e10x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u10x
  iretd
u10x: mov dx,0x93
  mov ds,dx
  mov es,dx
  int 0x81
  int 0x80
e10x: call sane
  mov dword [resume],B+e11x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u11x
  iretd
u11x: mov dx,0x93
  mov ds,dx
  mov es,dx
  int 0x83
  int 0x80
e11x: call sane
  mov dword [resume],B+e12x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u12x
  iretd
u12x: mov dx,0x93
  mov ds,dx
  mov es,dx
  int3
  int 0x80
e12x: call sane
  mov dword [resume],B+e13x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u13x
  iretd
u13x: mov dx,0x93
  mov ds,dx
  mov es,dx
  into
  int 0x80
e13x: call sane
  mov dword [resume],B+e14x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u14x
  iretd
u14x: mov dx,0x93
  mov ds,dx
  mov es,dx
  mov eax,cr0
  int 0x80
e14x: call sane
  mov dword [resume],B+e15x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u15x
  iretd
u15x: mov dx,0x93
  mov ds,dx
  mov es,dx
  mov cr3,eax
  int 0x80
e15x: call sane
  mov dword [resume],B+e16x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u16x
  iretd
u16x: mov dx,0x93
  mov ds,dx
  mov es,dx
  lgdt [0]
  int 0x80
e16x: call sane
  mov dword [resume],B+e17x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u17x
  iretd
u17x: mov dx,0x93
  mov ds,dx
  mov es,dx
  lidt [0]
  int 0x80
e17x: call sane
  mov dword [resume],B+e18x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u18x
  iretd
u18x: mov dx,0x93
  mov ds,dx
  mov es,dx
  sgdt [0x7300]
  int 0x80
e18x: call sane
  mov dword [resume],B+e19x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u19x
  iretd
u19x: mov dx,0x93
  mov ds,dx
  mov es,dx
  smsw eax
  int 0x80
e19x: call sane
  mov dword [resume],B+e20x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u20x
  iretd
u20x: mov dx,0x93
  mov ds,dx
  mov es,dx
  lmsw ax
  int 0x80
e20x: call sane
  mov dword [resume],B+e21x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u21x
  iretd
u21x: mov dx,0x93
  mov ds,dx
  mov es,dx
  clts
  int 0x80
e21x: call sane
  mov dword [resume],B+e22x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u22x
  iretd
u22x: mov dx,0x93
  mov ds,dx
  mov es,dx
  invlpg [0]
  int 0x80
e22x: call sane
  mov dword [resume],B+e23x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u23x
  iretd
u23x: mov dx,0x93
  mov ds,dx
  mov es,dx
  wbinvd
  int 0x80
e23x: call sane
  mov dword [resume],B+e24x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u24x
  iretd
u24x: mov dx,0x93
  mov ds,dx
  mov es,dx
  rdmsr
  int 0x80
e24x: call sane
  mov dword [resume],B+e25x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u25x
  iretd
u25x: mov dx,0x93
  mov ds,dx
  mov es,dx
  wrmsr
  int 0x80
e25x: call sane
  mov dword [resume],B+e26x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u26x
  iretd
u26x: mov dx,0x93
  mov ds,dx
  mov es,dx
  nop
  int 0x80
e26x: call sane
  mov dword [resume],B+e27x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u27x
  iretd
u27x: mov dx,0x93
  mov ds,dx
  mov es,dx
  rdpmc
  int 0x80
e27x: call sane
  mov dword [resume],B+e28x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u28x
  iretd
u28x: mov dx,0x93
  mov ds,dx
  mov es,dx
  mov eax,dr7
  int 0x80
e28x: call sane
  mov dword [resume],B+e29x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u29x
  iretd
u29x: mov dx,0x93
  mov ds,dx
  mov es,dx
  mov dr7,eax
  int 0x80
e29x: call sane
  mov dword [resume],B+e30x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u30x
  iretd
u30x: mov dx,0x93
  mov ds,dx
  mov es,dx
  lldt ax
  int 0x80
e30x: call sane
  mov dword [resume],B+e31x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u31x
  iretd
u31x: mov dx,0x93
  mov ds,dx
  mov es,dx
  ltr ax
  int 0x80
e31x: call sane
  mov dword [resume],B+e32x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u32x
  iretd
u32x: mov dx,0x93
  mov ds,dx
  mov es,dx
  sldt ax
  int 0x80
e32x: call sane
  mov dword [resume],B+e33x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u33x
  iretd
u33x: mov dx,0x93
  mov ds,dx
  mov es,dx
  str ax
  int 0x80
e33x: call sane
  mov dword [resume],B+e34x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u34x
  iretd
u34x: mov dx,0x93
  mov ds,dx
  mov es,dx
  sysenter
  int 0x80
e34x: call sane
  mov dword [resume],B+e35x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u35x
  iretd
u35x: mov dx,0x93
  mov ds,dx
  mov es,dx
  sysexit
  int 0x80
e35x: call sane
  mov dword [resume],B+e36x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u36x
  iretd
u36x: mov dx,0x93
  mov ds,dx
  mov es,dx
  ud2
  int 0x80
e36x: call sane
  mov dword [resume],B+e37x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u37x
  iretd
u37x: mov dx,0x93
  mov ds,dx
  mov es,dx
  mov ax,16
   mov ds,ax
  int 0x80
e37x: call sane
  mov dword [resume],B+e38x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u38x
  iretd
u38x: mov dx,0x93
  mov ds,dx
  mov es,dx
  mov ax,0x93
   mov ss,ax
   nop
  int 0x80
e38x: call sane
  mov dword [resume],B+e39x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u39x
  iretd
u39x: mov dx,0x93
  mov ds,dx
  mov es,dx
  push dword 0x246
   popfd
   pushfd
   pop eax
  int 0x80
e39x: call sane
  mov dword [resume],B+e40x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u40x
  iretd
u40x: mov dx,0x93
  mov ds,dx
  mov es,dx
  push dword 0x3202
   popfd
   pushfd
   pop eax
  int 0x80
e40x: call sane
  mov dword [resume],B+e41x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u41x
  iretd
u41x: mov dx,0x93
  mov ds,dx
  mov es,dx
  push dword 0x7fffff
   popfd
   pushfd
   pop eax
   mov ebx,eax
   push dword 2
   popfd
  int 0x80
e41x: call sane
  mov dword [resume],B+e42x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u42x
  iretd
u42x: mov dx,0x93
  mov ds,dx
  mov es,dx
  call 0xb3:0
  int 0x80
e42x: call sane
  mov dword [resume],B+e43x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u43x
  iretd
u43x: mov dx,0x93
  mov ds,dx
  mov es,dx
  push dword 0x11
   push dword 0x22
   push dword 0x33
   call 0xbb:0
   mov eax,esp
   nop
  int 0x80
e43x: call sane
  mov dword [resume],B+e44x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u44x
  iretd
u44x: mov dx,0x93
  mov ds,dx
  mov es,dx
  call 0xa3:0
  int 0x80
e44x: call sane
  mov dword [resume],B+e45x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u45x
  iretd
u45x: mov dx,0x93
  mov ds,dx
  mov es,dx
  jmp 0xb3:0
  int 0x80
e45x: call sane
  mov dword [resume],B+e46x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u46x
  iretd
u46x: mov dx,0x93
  mov ds,dx
  mov es,dx
  jmp 0x4b:B+r3l
  int 0x80
e46x: call sane
  mov dword [resume],B+e47x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u47x
  iretd
u47x: mov dx,0x93
  mov ds,dx
  mov es,dx
  call 0x4b:B+r3l
  int 0x80
e47x: call sane
  mov dword [resume],B+e48x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u48x
  iretd
u48x: mov dx,0x93
  mov ds,dx
  mov es,dx
  push dword 0x4b
   push dword B+r3l
   retf
  int 0x80
e48x: call sane
  mov dword [resume],B+e49x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u49x
  iretd
u49x: mov dx,0x93
  mov ds,dx
  mov es,dx
  push dword 8
   push dword B+r3l
   retf
  int 0x80
e49x: call sane
  mov dword [resume],B+e50x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u50x
  iretd
u50x: mov dx,0x93
  mov ds,dx
  mov es,dx
  pushfd
   push dword 0x4b
   push dword B+r3l
   iretd
  int 0x80
e50x: call sane
  mov dword [resume],B+e51x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u51x
  iretd
u51x: mov dx,0x93
  mov ds,dx
  mov es,dx
  pushfd
   push dword 8
   push dword B+r3l
   iretd
  int 0x80
e51x: call sane
  mov dword [resume],B+e52x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u52x
  iretd
u52x: mov dx,0x93
  mov ds,dx
  mov es,dx
  mov eax,[0x7000]
   lsl eax,[eax]
  int 0x80
e52x: call sane
  mov dword [resume],B+e53x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u53x
  iretd
u53x: mov dx,0x93
  mov ds,dx
  mov es,dx
  bound eax,[0x7300]
  int 0x80
e53x: call sane
  mov dword [resume],B+e54x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u54x
  iretd
u54x: mov dx,0x93
  mov ds,dx
  mov es,dx
  pause
  int 0x80
e54x: call sane
  mov dword [resume],B+e55x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u55x
  iretd
u55x: mov dx,0x93
  mov ds,dx
  mov es,dx
  monitor
  int 0x80
e55x: call sane
  mov dword [resume],B+e56x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u56x
  iretd
u56x: mov dx,0x93
  mov ds,dx
  mov es,dx
  db 0xf1
  int 0x80
e56x: call sane
  mov dword [resume],B+e57x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u57x
  iretd
u57x: mov dx,0x93
  mov ds,dx
  mov es,dx
  push dword 0x4002
   popfd
   iretd
  int 0x80
e57x: call sane
  mov dword [flagsv],0x3202
  mov dword [resume],B+e58x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u58x
  iretd
u58x: mov dx,0x93
  mov ds,dx
  mov es,dx
  nop
  int 0x80
e58x: call sane
  mov dword [resume],B+e59x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u59x
  iretd
u59x: mov dx,0x93
  mov ds,dx
  mov es,dx
  cli
  int 0x80
e59x: call sane
  mov dword [resume],B+e60x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u60x
  iretd
u60x: mov dx,0x93
  mov ds,dx
  mov es,dx
  sti
  int 0x80
e60x: call sane
  mov dword [resume],B+e61x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u61x
  iretd
u61x: mov dx,0x93
  mov ds,dx
  mov es,dx
  hlt
  int 0x80
e61x: call sane
  mov dword [resume],B+e62x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u62x
  iretd
u62x: mov dx,0x93
  mov ds,dx
  mov es,dx
  in al,0x70
  int 0x80
e62x: call sane
  mov dword [resume],B+e63x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u63x
  iretd
u63x: mov dx,0x93
  mov ds,dx
  mov es,dx
  in al,0x0
  int 0x80
e63x: call sane
  mov dword [resume],B+e64x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u64x
  iretd
u64x: mov dx,0x93
  mov ds,dx
  mov es,dx
  out 0xe8,al
  int 0x80
e64x: call sane
  mov dword [resume],B+e65x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u65x
  iretd
u65x: mov dx,0x93
  mov ds,dx
  mov es,dx
  in ax,0x7
  int 0x80
e65x: call sane
  mov dword [resume],B+e66x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u66x
  iretd
u66x: mov dx,0x93
  mov ds,dx
  mov es,dx
  in al,0x8
  int 0x80
e66x: call sane
  mov dword [resume],B+e67x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u67x
  iretd
u67x: mov dx,0x93
  mov ds,dx
  mov es,dx
  int 0x81
  int 0x80
e67x: call sane
  mov dword [resume],B+e68x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u68x
  iretd
u68x: mov dx,0x93
  mov ds,dx
  mov es,dx
  int 0x83
  int 0x80
e68x: call sane
  mov dword [resume],B+e69x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u69x
  iretd
u69x: mov dx,0x93
  mov ds,dx
  mov es,dx
  int3
  int 0x80
e69x: call sane
  mov dword [resume],B+e70x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u70x
  iretd
u70x: mov dx,0x93
  mov ds,dx
  mov es,dx
  into
  int 0x80
e70x: call sane
  mov dword [resume],B+e71x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u71x
  iretd
u71x: mov dx,0x93
  mov ds,dx
  mov es,dx
  mov eax,cr0
  int 0x80
e71x: call sane
  mov dword [resume],B+e72x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u72x
  iretd
u72x: mov dx,0x93
  mov ds,dx
  mov es,dx
  mov cr3,eax
  int 0x80
e72x: call sane
  mov dword [resume],B+e73x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u73x
  iretd
u73x: mov dx,0x93
  mov ds,dx
  mov es,dx
  lgdt [0]
  int 0x80
e73x: call sane
  mov dword [resume],B+e74x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u74x
  iretd
u74x: mov dx,0x93
  mov ds,dx
  mov es,dx
  lidt [0]
  int 0x80
e74x: call sane
  mov dword [resume],B+e75x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u75x
  iretd
u75x: mov dx,0x93
  mov ds,dx
  mov es,dx
  sgdt [0x7300]
  int 0x80
e75x: call sane
  mov dword [resume],B+e76x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u76x
  iretd
u76x: mov dx,0x93
  mov ds,dx
  mov es,dx
  smsw eax
  int 0x80
e76x: call sane
  mov dword [resume],B+e77x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u77x
  iretd
u77x: mov dx,0x93
  mov ds,dx
  mov es,dx
  lmsw ax
  int 0x80
e77x: call sane
  mov dword [resume],B+e78x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u78x
  iretd
u78x: mov dx,0x93
  mov ds,dx
  mov es,dx
  clts
  int 0x80
e78x: call sane
  mov dword [resume],B+e79x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u79x
  iretd
u79x: mov dx,0x93
  mov ds,dx
  mov es,dx
  invlpg [0]
  int 0x80
e79x: call sane
  mov dword [resume],B+e80x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u80x
  iretd
u80x: mov dx,0x93
  mov ds,dx
  mov es,dx
  wbinvd
  int 0x80
e80x: call sane
  mov dword [resume],B+e81x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u81x
  iretd
u81x: mov dx,0x93
  mov ds,dx
  mov es,dx
  rdmsr
  int 0x80
e81x: call sane
  mov dword [resume],B+e82x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u82x
  iretd
u82x: mov dx,0x93
  mov ds,dx
  mov es,dx
  wrmsr
  int 0x80
e82x: call sane
  mov dword [resume],B+e83x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u83x
  iretd
u83x: mov dx,0x93
  mov ds,dx
  mov es,dx
  nop
  int 0x80
e83x: call sane
  mov dword [resume],B+e84x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u84x
  iretd
u84x: mov dx,0x93
  mov ds,dx
  mov es,dx
  rdpmc
  int 0x80
e84x: call sane
  mov dword [resume],B+e85x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u85x
  iretd
u85x: mov dx,0x93
  mov ds,dx
  mov es,dx
  mov eax,dr7
  int 0x80
e85x: call sane
  mov dword [resume],B+e86x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u86x
  iretd
u86x: mov dx,0x93
  mov ds,dx
  mov es,dx
  mov dr7,eax
  int 0x80
e86x: call sane
  mov dword [resume],B+e87x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u87x
  iretd
u87x: mov dx,0x93
  mov ds,dx
  mov es,dx
  lldt ax
  int 0x80
e87x: call sane
  mov dword [resume],B+e88x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u88x
  iretd
u88x: mov dx,0x93
  mov ds,dx
  mov es,dx
  ltr ax
  int 0x80
e88x: call sane
  mov dword [resume],B+e89x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u89x
  iretd
u89x: mov dx,0x93
  mov ds,dx
  mov es,dx
  sldt ax
  int 0x80
e89x: call sane
  mov dword [resume],B+e90x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u90x
  iretd
u90x: mov dx,0x93
  mov ds,dx
  mov es,dx
  str ax
  int 0x80
e90x: call sane
  mov dword [resume],B+e91x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u91x
  iretd
u91x: mov dx,0x93
  mov ds,dx
  mov es,dx
  sysenter
  int 0x80
e91x: call sane
  mov dword [resume],B+e92x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u92x
  iretd
u92x: mov dx,0x93
  mov ds,dx
  mov es,dx
  sysexit
  int 0x80
e92x: call sane
  mov dword [resume],B+e93x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u93x
  iretd
u93x: mov dx,0x93
  mov ds,dx
  mov es,dx
  ud2
  int 0x80
e93x: call sane
  mov dword [resume],B+e94x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u94x
  iretd
u94x: mov dx,0x93
  mov ds,dx
  mov es,dx
  mov ax,16
   mov ds,ax
  int 0x80
e94x: call sane
  mov dword [resume],B+e95x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u95x
  iretd
u95x: mov dx,0x93
  mov ds,dx
  mov es,dx
  mov ax,0x93
   mov ss,ax
   nop
  int 0x80
e95x: call sane
  mov dword [resume],B+e96x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u96x
  iretd
u96x: mov dx,0x93
  mov ds,dx
  mov es,dx
  push dword 0x246
   popfd
   pushfd
   pop eax
  int 0x80
e96x: call sane
  mov dword [resume],B+e97x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u97x
  iretd
u97x: mov dx,0x93
  mov ds,dx
  mov es,dx
  push dword 0x3202
   popfd
   pushfd
   pop eax
  int 0x80
e97x: call sane
  mov dword [resume],B+e98x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u98x
  iretd
u98x: mov dx,0x93
  mov ds,dx
  mov es,dx
  push dword 0x7fffff
   popfd
   pushfd
   pop eax
   mov ebx,eax
   push dword 2
   popfd
  int 0x80
e98x: call sane
  mov dword [resume],B+e99x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u99x
  iretd
u99x: mov dx,0x93
  mov ds,dx
  mov es,dx
  call 0xb3:0
  int 0x80
e99x: call sane
  mov dword [resume],B+e100x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u100x
  iretd
u100x: mov dx,0x93
  mov ds,dx
  mov es,dx
  push dword 0x11
   push dword 0x22
   push dword 0x33
   call 0xbb:0
   mov eax,esp
   nop
  int 0x80
e100x: call sane
  mov dword [resume],B+e101x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u101x
  iretd
u101x: mov dx,0x93
  mov ds,dx
  mov es,dx
  call 0xa3:0
  int 0x80
e101x: call sane
  mov dword [resume],B+e102x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u102x
  iretd
u102x: mov dx,0x93
  mov ds,dx
  mov es,dx
  jmp 0xb3:0
  int 0x80
e102x: call sane
  mov dword [resume],B+e103x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u103x
  iretd
u103x: mov dx,0x93
  mov ds,dx
  mov es,dx
  jmp 0x4b:B+r3l
  int 0x80
e103x: call sane
  mov dword [resume],B+e104x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u104x
  iretd
u104x: mov dx,0x93
  mov ds,dx
  mov es,dx
  call 0x4b:B+r3l
  int 0x80
e104x: call sane
  mov dword [resume],B+e105x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u105x
  iretd
u105x: mov dx,0x93
  mov ds,dx
  mov es,dx
  push dword 0x4b
   push dword B+r3l
   retf
  int 0x80
e105x: call sane
  mov dword [resume],B+e106x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u106x
  iretd
u106x: mov dx,0x93
  mov ds,dx
  mov es,dx
  push dword 8
   push dword B+r3l
   retf
  int 0x80
e106x: call sane
  mov dword [resume],B+e107x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u107x
  iretd
u107x: mov dx,0x93
  mov ds,dx
  mov es,dx
  pushfd
   push dword 0x4b
   push dword B+r3l
   iretd
  int 0x80
e107x: call sane
  mov dword [resume],B+e108x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u108x
  iretd
u108x: mov dx,0x93
  mov ds,dx
  mov es,dx
  pushfd
   push dword 8
   push dword B+r3l
   iretd
  int 0x80
e108x: call sane
  mov dword [resume],B+e109x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u109x
  iretd
u109x: mov dx,0x93
  mov ds,dx
  mov es,dx
  mov eax,[0x7000]
   lsl eax,[eax]
  int 0x80
e109x: call sane
  mov dword [resume],B+e110x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u110x
  iretd
u110x: mov dx,0x93
  mov ds,dx
  mov es,dx
  bound eax,[0x7300]
  int 0x80
e110x: call sane
  mov dword [resume],B+e111x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u111x
  iretd
u111x: mov dx,0x93
  mov ds,dx
  mov es,dx
  pause
  int 0x80
e111x: call sane
  mov dword [resume],B+e112x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u112x
  iretd
u112x: mov dx,0x93
  mov ds,dx
  mov es,dx
  monitor
  int 0x80
e112x: call sane
  mov dword [resume],B+e113x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u113x
  iretd
u113x: mov dx,0x93
  mov ds,dx
  mov es,dx
  db 0xf1
  int 0x80
e113x: call sane
  mov dword [resume],B+e114x
  push dword 0x93
  push dword 0x5f000
  push dword [flagsv]
  push dword 0x4b
  push dword B+u114x
  iretd
u114x: mov dx,0x93
  mov ds,dx
  mov es,dx
  push dword 0x4002
   popfd
   iretd
  int 0x80
e114x: call sane
  mov dword [flagsv],0x3202

  jmp part3
r3l: mov edi,0x55555555
  int 0x80
g0: ; call gate target, ring 0
  OUTB 0x60
  mov ecx,8
  mov esi,esp
.l: mov eax,[ss:esi]
  add esi,4
  call out32
  loop .l
  retf
g3: OUTB 0x61
  mov ecx,10
  mov esi,esp
.l: mov eax,[ss:esi]
  add esi,4
  call out32
  loop .l
  retf 12
task1: OUTB 0x54
  call dumpregs
  iretd
  jmp task1
task1j: OUTB 0x55
  call dumpregs
  jmp 0x30:0
taskgp: OUTB 0x56
  pop eax
  call out32
  call dumpregs
  mov dword [TSS0+0x20],B+part2.t4
  iretd
dumpregs:
  pushad
  pushfd
  mov ecx,9
  mov esi,esp
.l: mov eax,[esi]
  add esi,4
  call out32
  loop .l
  popfd
  popad
  str ax
  call out32
  sldt ax
  call out32
  mov eax,cr0
  call out32
  ret
dumptss:
  mov esi,TSS0
  mov ecx,0x68/4
.l: lodsd
  call out32
  loop .l
  mov esi,TSS1
  mov ecx,0x68/4
.m: lodsd
  call out32
  loop .m
  mov eax,[GDT+0x34]
  call out32
  mov eax,[GDT+0xa4]
  call out32
  ret
resettasks:
  and byte [GDT+0x35],0xfd
  and byte [GDT+0xa5],0xfd
  mov ax,0x30
  ltr ax
  mov ax,0x38
  lldt ax
  push dword 2
  popfd
  clts
  mov eax,B+stubs+130
  mov [IDT+13*8],ax
  mov word [IDT+13*8+2],8
  mov word [IDT+13*8+4],0x8e00
  shr eax,16
  mov [IDT+13*8+6],ax
  ret
part3:
  nop
  mov al,0
  out 0xe9,al
  lidt [B+zero]
  int 0x44
zero: dw 0,0,0
gdtr: dw gdtend-gdt-1
 dd GDT
idtr: dw 0x7ff
 dd IDT
align 8
gdt: dq 0
 dq 0x00cf9a000000ffff  ;08
 dq 0x00cf92000000ffff  ;10
 dq 0x00009a0f0000ffff  ;18 16-bit code base f0000
 dq 0x000092000000ffff  ;20 16 bit data
 dq 0x00cfba000000ffff  ;28 ring1 code
 dq 0x0000890090000067  ;30 TSS0 type 9, present
 dq 0x0000820098000007  ;38 LDT (1 entry) 
 dq 0x00cf92000000ffff  ;40
 dq 0x00cffa000000ffff  ;48 ring3 code
 dq 0x00cf9e000000ffff  ;50 conforming dpl0
 dq 0x00cffe000000ffff  ;58 conforming dpl3
 dq 0x00cfb2000000ffff  ;60 ring1 data
 dq 0x00cfd2000000ffff  ;68
 dq 0,0,0,0             ;70,78,80,88
 dq 0x00cff2000000ffff  ;90 ring3 data
 dq 0                   ;98
 dq 0x00008900920000ff  ;a0 TSS1
 dq 0x0000850000a00000  ;a8 task gate -> a0 dpl0
 dq 0x0000ec0000080000 | ((g0-start) & 0xffff) | ((B>>16)<<48) ; b0 call gate dpl3
 dq 0x0000ec0300080000 | ((g3-start) & 0xffff) | ((B>>16)<<48) ; b8 call gate dpl3 3 params
 times 8 dq 0 ; c0..f8
; 100: fuzz
%assign t 0
%rep 32
 dq 0x00cf80000000ffff | (t<<40)       ; present dpl0 type t (S in bit4)
 %assign t t+1
%endrep
%assign t 0
%rep 32
 dq 0x00cfe0000000ffff | (t<<40)       ; present dpl3
 %assign t t+1
%endrep
%assign t 0
%rep 32
 dq 0x00cf20000000ffff | (t<<40)       ; not present dpl1
 %assign t t+1
%endrep
 dq 0x00cf9a000000ffff & 0xff70ffffffff0000 | 0x10 ; small limit code (0x10)
 dq 0x0000ec0000500000 | ((landed-start) & 0xffff) | ((B>>16)<<48) ; gate to conforming
 dq 0x0000ec0000580000 | ((landed-start) & 0xffff) | ((B>>16)<<48) ; gate to conforming dpl3
 dq 0x00008c0000280000 | ((landed-start) & 0xffff) | ((B>>16)<<48) ; gate to ring1
 dq 0x0000e40000080000 | ((landed-start) & 0xffff)                  ; 286 gate
 dq 0x0000ec0000000000 | ((landed-start) & 0xffff) | ((B>>16)<<48) ; null
 dq 0x00006c0000080000 | ((landed-start) & 0xffff) | ((B>>16)<<48) ; not present
 dq 0x0000ec00fff80000 | ((landed-start) & 0xffff) | ((B>>16)<<48) ; beyond
 dq 0x0000ec0000100000 | ((landed-start) & 0xffff) | ((B>>16)<<48) ; data
gdtend:
align 16
stubs:
%assign v 0
%rep 256
s%[v]:
  push strict dword v
  jmp near cmn
%assign v v+1
%endrep
bits 16
times 0xfff0-($-$$) db 0xf4
  jmp 0xf000:start
times 0x10000-($-$$) db 0
