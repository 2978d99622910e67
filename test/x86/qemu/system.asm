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
  jmp part3
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
.t4:
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
  mov dword [TSS0+0x66],0x00680000>>16
  mov word [TSS0+0x66],0x68
  jmp p3start
%define flagsv 0x7200
%macro V86 2+   ; eflags, code
  OUTB 0xa0
  mov dword [resume],B+%%e
  push dword 0x1234
  push dword 0x2345
  push dword 0x0
  push dword 0xf000
  push dword 0x5000
  push dword 0xff00
  push dword %1
  push dword 0xf000
  push dword %%u-start
  iretd
bits 16
%%u: %2
  nop
  hlt
bits 32
%%e: call sane
%endmacro
%macro STEP 1+ ; TF stepping through code in ring 0
  push eax
  OUTB 0xb0
  pop eax
  mov dword [resume],B+%%z
  push dword 0x102
  push dword 8
  push dword B+%%u
  iretd
%%u: %1
  nop
  pushfd
  and dword [esp],0xfffffeff
  popfd
  nop
%%z:
%endmacro
hdb: ; #DB handler that prints eip, flags, dr6 and goes on
  push eax
  mov eax,[ss:esp+4]
  call out32
  mov eax,[ss:esp+12]
  call out32
  mov eax,dr6
  call out32
  xor eax,eax
  mov dr6,eax
  pop eax
  iretd
hdbrf: or dword [ss:esp+8],0x10000
  jmp hdb
hbp: iretd
hcount: push eax
  mov eax,[ss:esp+4]
  call out32
  mov eax,[ss:esp+12]
  call out32
  pop eax
  iretd
%macro SETIDT 2
  mov eax,B+%2
  mov [IDT+%1*8],ax
  mov word [IDT+%1*8+4],0x8e00
  shr eax,16
  mov [IDT+%1*8+6],ax
%endmacro
%macro SETIDTU 2
  mov eax,B+%2
  mov [IDT+%1*8],ax
  mov word [IDT+%1*8+4],0xee00
  shr eax,16
  mov [IDT+%1*8+6],ax
%endmacro
p3start:
  V86 0x23002, int 0x44
  V86 0x20002, int 0x44
  V86 0x23002, int 0x80
  V86 0x20002, cli
  V86 0x23002, sti
  V86 0x20002, pushf
  V86 0x20002, popf
  V86 0x20002, iret
  V86 0x23002, pushfd
  V86 0x20002, mov ax,cs
  V86 0x20002, mov eax,cr0
  V86 0x20002, in al,0x0
  V86 0x23002, in al,0x70
  V86 0x23002, in al,0x8
  V86 0x20002, lldt ax
  V86 0x20002, arpl ax,bx
  V86 0x20002, int3
  V86 0x20002, ud2
  V86 0x20002, o32 pushfd
  V86 0x60202, mov ax,0x3000
  V86 0xa3002, nop
  V86 0x23102, nop
  ; same privilege gate from v86 : idt entry to conforming / ring3 code
  mov word [IDT+0x85*8+2],0x48
  mov word [IDT+0x85*8+4],0xee00
  V86 0x23002, int 0x85
  mov word [IDT+0x86*8+2],0x50
  mov word [IDT+0x86*8+4],0xee00
  V86 0x23002, int 0x86
  ; 16 bit gate from v86 & ring 0
  mov word [IDT+0x87*8+4],0xe600
  mov dword [resume],B+.q1
  mov word [IDT+0x87*8+2],0x18
  mov eax,g16-start
  mov word [IDT+0x87*8],ax
  mov word [IDT+0x87*8+6],0
  int 0x87
.q1: call sane
  ; double fault: #NP in #GP delivery
  mov word [IDT+13*8+4],0x0e00
  mov dword [resume],B+.d1
  mov ax,0xfff8
  mov fs,ax
.d1: call sane
  mov dword [resume],B+.d2
  int 0x0d
.d2: call sane
  mov word [IDT+13*8+4],0x8e00
  mov word [IDT+6*8+4],0x0e00
  mov dword [resume],B+.d3
  ud2
.d3: call sane
  mov word [IDT+6*8+4],0x8e00
  ; IDT limit small
  mov dword [resume],B+.d4
  mov word [0x7300],0x7f
  mov dword [0x7302],IDT
  lidt [0x7300]
  int 0x44
.d4: call sane
  lidt [B+idtr]
  ; div by zero with bad DE gate
  mov word [IDT+0*8+4],0x0e00
  mov dword [resume],B+.d5
  xor ebx,ebx
  div ebx
.d5: call sane
  mov word [IDT+0*8+4],0x8e00
  ; TF
  SETIDT 1,hdb
  SETIDTU 3,hcount
  SETIDTU 4,hcount
  STEP nop
  STEP mov eax,1
  STEP cpuid
  mov esi,0x20000
  mov edi,0x21000
  mov ecx,3
  STEP rep movsb
  STEP {push ss}
  pop eax
  mov eax,0x7fffffff
  inc eax
  STEP int3
  mov eax,0x7fffffff
  inc eax
  STEP into
  mov ax,16
  STEP mov ss,ax
  STEP sti
  cli
  STEP in al,0x80
  STEP mov eax,cr0
  STEP mov ds,ax
  mov ax,16
  mov ds,ax
  STEP lahf
  STEP pause
  ; stepping popf that clears TF handled by macro
  ; software interrupt clears
  OUTB 0xb5
  pushfd
  or dword [esp],0x100
  popfd
  mov ax,16
  mov ss,ax
  nop
  jmp .j
.j: call .c
.c: pop eax
  mov ecx,2
.lp: loop .lp
  pushfd
  and dword [esp],0xfffffeff
  popfd
  nop
  ; INTO over count
  OUTB 0xb6
  mov eax,0x7fffffff
  inc eax
  into
  nop
  nop
  nop
  OUTB 0xb7
  mov eax,0x7fffffff
  inc eax
  into
  nop
  mov ds,[B+flat]
  nop
  nop
  OUTB 0xb8
  mov eax,0x7fffffff
  inc eax
  nop
  into
  mov gs,[B+flat]
  rdtsc
  nop
  nop
  OUTB 0xb9
  ; debug registers
  mov eax,B+.bp1
  mov dr0,eax
  mov eax,0x22000
  mov dr1,eax
  mov eax,0x22100
  mov dr2,eax
  mov eax,0x80
  mov dr3,eax
  mov eax,0x000d0000|0x01100000|0xaa   ; 
  mov eax,0x0fd002aa
  mov dr7,eax
  mov eax,dr7
  call out32
  SETIDT 1,hdbrf
  nop
.bp1: nop
  nop
  OUTB 0xba
  mov eax,[0x22000]
  nop
  mov [0x22000],eax
  nop
  mov [0x21fff],eax
  nop
  mov byte [0x22001],1
  nop
  mov eax,[0x22100]
  nop
  mov [0x22103],al
  nop
  mov [0x22104],al
  OUTB 0xbb
  mov esi,0x21000
  mov edi,0x220fe
  mov ecx,5
  rep movsb
  OUTB 0xbc
  push dword [0x22100]
  pop dword [0x22100]
  xchg eax,[0x22100]
  OUTB 0xbd
  mov eax,cr4
  or eax,8
  mov cr4,eax
  mov eax,0xf0d102aa
  mov eax,0x200002aa|0x400
  mov dr7,eax
  in al,0x80
  nop
  out 0x80,al
  nop
  in ax,0x7f
  nop
  mov edx,0x80
  mov edi,0x23000
  mov ecx,2
  rep insb
  nop
  OUTB 0xbe
  mov dword [resume],B+.dx
  mov eax,dr4
.dx: call sane
  mov eax,cr4
  and eax,~8
  mov cr4,eax
  mov eax,dr5
  call out32
  xor eax,eax
  mov dr7,eax
  OUTB 0xbf
  ; RF
  SETIDT 1,hdb
  push dword 0x10002
  push dword 8
  push dword B+.rf
  iretd
.rf: nop
  pushfd
  pop eax
  call out32
  push dword 0x10002
  push dword 8
  push dword B+.rf2
  iretd
.rf2: mov dword [resume],B+.rf3
  nop
  ud2
.rf3: call sane
  push dword 0x10002
  push dword 8
  push dword B+.rf4
  iretd
.rf4: mov dword [resume],B+.rf5
  jmp .rf6
.rf6: ud2
.rf5: call sane
  ; paging
  OUTB 0xc0
  mov edi,0x30000
  mov ecx,0x3000/4
  xor eax,eax
  rep stosd
  ; PD 0x30000, PT0 0x31000 identity for 4MB
  mov dword [0x30000],0x31000|7
  mov edi,0x31000
  mov eax,7
  mov ecx,1024
.pt: stosd
  add eax,0x1000
  loop .pt
  mov dword [0x30004],0x32000|3
  mov dword [0x32000],0x50000|7
  mov dword [0x32004],0x51000|5
  mov dword [0x32008],0x52000|1
  mov dword [0x3200c],0x53000|0
  mov dword [0x30008],0x00400083
  mov dword [0x3000c],0x00600087
  mov dword [0x30010],0x00000180|0x87
  mov eax,0x30000
  mov cr3,eax
  mov eax,cr0
  or eax,0x80000000
  mov cr0,eax
%assign wp 0
%rep 2
%assign ad 0
%rep 10
  mov dword [resume],B+.pr%[wp]_%[ad]
  mov eax,[0x400000+ad*0x1000-2]
  OUTB 0xc1
.pr%[wp]_%[ad]: call sane
  mov dword [resume],B+.pw%[wp]_%[ad]
  mov dword [0x400000+ad*0x1000-2],0x12345678
  OUTB 0xc2
.pw%[wp]_%[ad]: call sane
%assign ad ad+1
%endrep
  call dumppt
  mov dword [resume],B+.ps%[wp]
  mov eax,[0x800010]
  OUTB 0xc3
.ps%[wp]: call sane
  mov eax,cr4
  or eax,0x10
  mov cr4,eax
  mov dword [resume],B+.pt%[wp]
  mov [0x800010],eax
  OUTB 0xc4
.pt%[wp]: call sane
  mov dword [resume],B+.pu%[wp]
  mov [0xc00010],eax
  OUTB 0xc5
.pu%[wp]: call sane
  mov dword [resume],B+.pv%[wp]
  mov [0x1000010],eax
  OUTB 0xc6
.pv%[wp]: call sane
  call dumppt
  ; user
%assign ad 0
%rep 8
  mov dword [resume],B+.ur%[wp]_%[ad]
  push dword 0x93
  push dword 0x5f000
  push dword 2
  push dword 0x4b
  push dword B+.uu%[wp]_%[ad]
  iretd
.uu%[wp]_%[ad]:
  mov dx,0x93
  mov ds,dx
  mov es,dx
  mov ebx,0x400000+(ad>>1)*0x1000
%if ad & 1
  mov [ebx],eax
%else
  mov eax,[ebx]
%endif
  jmp ebx
.ur%[wp]_%[ad]: call sane
%assign ad ad+1
%endrep
  call dumppt
  and byte [0x31000+0x50*4],0xdf
  mov eax,cr3
  mov cr3,eax
  mov eax,cr0
  or eax,0x10000
  mov cr0,eax
%assign wp wp+1
%endrep
  ; page fault in handler push: ring3 with unmapped tss stack
  mov dword [TSS0+4],0x3ff0004
  mov dword [resume],B+p3.df
  push dword 0x93
  push dword 0x5f000
  push dword 2
  push dword 0x4b
  push dword B+.dfu
  mov dword [IDT+8*8],0x00a00000
  mov dword [IDT+8*8+4],0x00008500
  mov edi,TSS1
  mov dword [edi+0x20],B+taskdf
  mov dword [edi+0x1c],0x30000
  mov dword [edi+0x24],0x2
  mov dword [edi+0x38],0x68000
  mov dword [edi+0x48],16
  mov dword [edi+0x4c],8
  mov dword [edi+0x50],16
  mov dword [edi+0x54],16
  mov dword [edi+0x58],16
  mov dword [edi+0x5c],16
  mov dword [edi+0x60],0x38
  iretd
.dfu: ud2
taskdf: OUTB 0xc8
  pop eax
  call out32
  call dumpregs
  jmp p3.df
p3:
.df: 
  mov dword [TSS0+4],0x60000
  mov eax,cr2
  call out32
  clts
  mov eax,cr0
  and eax,0x7fffffff
  mov cr0,eax
  ; PAE
  OUTB 0xd0
  mov edi,0x30000
  mov ecx,0x4000/4
  xor eax,eax
  rep stosd
  mov dword [0x30000],0x31000|1
  mov dword [0x30008],0x31000|0x1f
  mov dword [0x30010],0
  mov dword [0x30018],0x31001
  mov dword [0x3001c],0x100
  mov dword [0x31000],0x87
  mov dword [0x31008],0x32000|7
  mov dword [0x31010],0x32000|7
  mov dword [0x31014],0x80000000
  mov dword [0x31018],0x00200087
  mov dword [0x31020],0x00202087
  mov dword [0x32000],0x50000|7
  mov dword [0x32008],0x51000|5
  mov dword [0x32010],0x52000|7
  mov dword [0x32014],0x80000000
  mov dword [0x32018],0x53000|7
  mov dword [0x3201c],0x00000010
  mov dword [0x32020],0
  mov eax,cr4
  or eax,0x20
  mov cr4,eax
  mov eax,0x30000
  mov cr3,eax
  mov eax,cr0
  or eax,0x80000000
  mov cr0,eax
%assign k 0
%rep 2
%assign ad 0
%rep 6
  mov dword [resume],B+.ar%[k]_%[ad]
  mov eax,[0x200000+ad*0x1000]
  OUTB 0xd1
.ar%[k]_%[ad]: call sane
  mov dword [resume],B+.aw%[k]_%[ad]
  mov [0x200000+ad*0x1000],eax
  OUTB 0xd2
.aw%[k]_%[ad]: call sane
  mov dword [resume],B+.ax%[k]_%[ad]
  mov ebx,0x200000+ad*0x1000
  mov byte [0x50000],0xcc
  mov byte [0x51000],0xcc
  mov byte [0x52000],0xcc
  call ebx
.ax%[k]_%[ad]: call sane
%assign ad ad+1
%endrep
  mov dword [resume],B+.b1%[k]
  mov eax,[0x400000]
  OUTB 0xd3
.b1%[k]: call sane
  mov dword [resume],B+.b2%[k]
  mov [0x600000],eax
  OUTB 0xd3
.b2%[k]: call sane
  mov dword [resume],B+.b3%[k]
  mov [0x800000],eax
  OUTB 0xd3
.b3%[k]: call sane
  mov dword [resume],B+.b4%[k]
  mov [0x80000000],eax
  OUTB 0xd3
.b4%[k]: call sane
  mov dword [resume],B+.b5%[k]
  mov [0xc0000000],eax
  OUTB 0xd3
.b5%[k]: call sane
  mov dword [resume],B+.b6%[k]
  mov eax,[0x40000000]
  OUTB 0xd3
.b6%[k]: call sane
  call dumppt
  mov ecx,0xc0000080
  rdmsr
  or eax,0x800
  wrmsr
  rdmsr
  call out32
  mov eax,cr3
  mov cr3,eax
%assign k k+1
%endrep
  mov eax,cr0
  and eax,0x7fffffff
  mov cr0,eax
  ; sysenter
  OUTB 0xe0
  mov ecx,0x174
  mov eax,8
  xor edx,edx
  wrmsr
  mov ecx,0x175
  mov eax,0x61000
  wrmsr
  mov ecx,0x176
  mov eax,B+.se
  wrmsr
  mov dword [resume],B+.sx
  sysenter
.se: mov ax,cs
  call out32
  mov ax,ss
  call out32
  pushfd
  pop eax
  call out32
  mov edx,B+.s3
  mov ecx,0x5f000
  sysexit
.s3: mov ax,cs
  mov bx,ss
  int 0x80
.sx: call sane
  ; self modifying code
  OUTB 0xe1
  mov byte [0x40000],0xb0
  mov byte [0x40001],1
  mov byte [0x40002],0xc3
  mov ebx,0x40000
  call ebx
  call out32
  mov byte [0x40001],2
  call ebx
  call out32
  ; modify next instruction
  mov edi,0x40010
  mov dword [edi],0x020005c6   ; placeholder
  mov esi,B+.code
  mov ecx,.codeend-.code
  rep movsb
  mov ebx,0x40010
  call ebx
  call out32
  call ebx
  call out32
  ; page crossing instruction
  mov edi,0x40ffd
  mov esi,B+.code2
  mov ecx,.code2end-.code2
  rep movsb
  mov ebx,0x40ffd
  call ebx
  call out32
  mov byte [0x41001],0x99
  call ebx
  call out32
  ; too long
  mov edi,0x42000
  mov al,0x66
  mov ecx,15
  rep stosb
  mov al,0x90
  stosb
  mov dword [resume],B+.tl
  mov ebx,0x42000
  jmp ebx
.tl: call sane
  mov dword [resume],B+.tl2
  mov ebx,0x42001
  mov byte [0x42010],0xf4
  mov byte [0x42010],0xcc
  SETIDT 3,s3
  jmp ebx
.tl2: call sane
  mov dword [resume],B+.tl3
  lock nop
.tl3: call sane
  jmp p3end
.code:
  db 0xc7,0x05
  dd 0x4001b
  db 0x12,0x34,0x56,0x78
  db 0xb8,1,0,0,0
  db 0xc3
.codeend:
.code2: mov eax,0x11223344
  mov edx,0x5566
  ret
.code2end:
dumppt:
  mov esi,0x30000
  mov ecx,8
.l: lodsd
  call out32
  loop .l
  mov esi,0x32000
  mov ecx,8
.l2: lodsd
  call out32
  loop .l2
  mov esi,0x31000
  mov ecx,8
.l3: lodsd
  call out32
  loop .l3
  ret
bits 16
g16: mov ax,sp
  out 0xe9,al
  mov al,ah
  out 0xe9,al
  int 0x80
bits 32
p3end:
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
