; System management mode: entry, the whole state save area, RSM with changed fields, relocation, SMI, NMI and halting.
; Every SMI's handler writes its registers and the 512 bytes of the state save area, then does as ACTION says.
%include "judge.inc"
%define ACTION 0x700        ; offset of the handler's action, 0: none
%define ARGUMENT 0x704
%define SMBASE_NOW 0x708
%define SMI_COUNT 0x70c
%define APIC 0xfee00000
%define PCI 0xcf8

; Calls for an SMI (any command but F0h and F1h does) with what the handler is to do, and an argument.
%macro SMI 1-2 0
  mov dword [ACTION], %1
  mov dword [ARGUMENT], %2
  mov al, 1
  out 0xb2, al
%endmacro
%macro MARK 1
  OUTB 'M'
  OUTB %1
%endmacro

main:
  mov eax, 0x80000b58
  mov dx, PCI
  out dx, eax
  mov dx, PCI + 4
  mov eax, 0x02000000
  out dx, eax
  mov dword [SMBASE_NOW], 0x30000
  mov dword [SMI_COUNT], 0
  mov edi, 0x38000
  call install
  ; local APIC on, with its vectors masked
  mov dword [APIC + 0xf0], 0x1ff

  MARK 1                    ; flat protected mode, with arithmetic flags and DF
  mov eax, 0x11111111
  mov ecx, 0x22222222
  mov edx, 0x33333333
  mov ebx, 0x44444444
  mov ebp, 0x66666666
  mov esi, 0x77777777
  mov edi, 0x88888888
  std
  stc
  SMI no_action
  cld
  call state

  MARK 2                    ; LDTR, segments with their own bases, debug registers
  mov ax, DATA16
  mov fs, ax
  mov eax, 0x12345678
  mov dr0, eax
  mov eax, 0x155
  mov dr7, eax
  SMI no_action
  call state
  mov eax, 0x400
  mov dr7, eax

  MARK 3                    ; general registers and EIP changed by the handler
  SMI change_registers
after_registers:
  call state

  MARK 4                    ; EFLAGS changed: DF, CF, AC, ID, IOPL, NT
  SMI change_flags, 0x00247cd7
  call state
  push dword 2
  popfd
  SMI change_flags, 0xffc0802a & ~0x20000
  call state
  push dword 2
  popfd

  MARK 5                    ; debug registers changed
  SMI change_debug
  call state
  mov eax, 0x400
  mov dr7, eax
  mov eax, 0xffff0ff0
  mov dr6, eax

  MARK 6                    ; hidden parts of segments and descriptor tables changed
  SMI change_hidden
  call state
  call hidden_back
  mov ax, DATA32
  mov ds, ax
  mov es, ax
  mov fs, ax
  mov gs, ax

  MARK 7                    ; paging on: page 0x400000 shows 0x30000
  call paging_on
  SMI no_action
  call state
  mov eax, [0x400000 + 0xfe00 + 0x1f8]
  call out32
  SMI change_cr3, 0x16000
  mov eax, [0x400000]
  call out32
  call state
  SMI change_cr4, 0x90
  call state
  SMI change_cr0, 0x8001003b
  call state
  SMI change_cr0, 0x00000011
  call state
  mov eax, 0x11
  mov cr0, eax
  xor eax, eax
  mov cr4, eax

  MARK 8                    ; from CPL 3
  mov dword [TSS + 4], 0x7a000
  push dword USER_DATA
  push dword 0x78000
  push dword 0x3002
  push dword USER_CODE
  push dword ROM + user
  iretd
user:
  SMI no_action
  SMI change_cpl
back_in_kernel:
  mov ax, DATA32
  mov ss, ax
  mov ds, ax
  mov es, ax
  mov esp, 0x7c000
  call state

  MARK 9                    ; from virtual-8086 mode
  push dword 0x1111
  push dword 0x2222
  push dword 0x3333
  push dword 0
  push dword 0x1000
  push dword 0x2000
  push dword 0x23002
  push dword 0xf000
  push dword v86
  iretd
bits 16
v86:
  mov ax, 0
  mov ds, ax
  mov dword [ACTION], no_action
  out 0xb2, al
  mov dword [ACTION], change_flags
  mov dword [ARGUMENT], 0x23083
  out 0xb2, al
  pushf
  pop ax
  out 0xe9, al
  mov al, ah
  out 0xe9, al
  mov dword [ACTION], change_cpl
  out 0xb2, al
bits 32

after_v86:
  call state

  MARK 10                   ; SMI asked for inside the handler: it comes right behind RSM
  SMI smi_inside, 1
  call state

  MARK 11                   ; NMI asked for inside the handler
  mov dword [EVENT_HANDLER], ROM + seen
  SMI nmi_inside
  call state
  MARK 12                   ; NMI inside, and an IRET in the handler
  SMI nmi_and_iret
  call state
  MARK 13                   ; SMI inside an NMI's handler, in which another NMI waits
  mov dword [EVENT_HANDLER], ROM + seen_with_smi
  mov dword [APIC + 0x310], 0
  mov dword [APIC + 0x300], 0x00004400
  nop
  call state

  MARK 14                   ; SMI by an interprocessor interrupt, and together with NMI
  mov dword [EVENT_HANDLER], ROM + seen
  mov dword [ACTION], no_action
  mov dword [APIC + 0x300], 0x00044200
  nop
  call state
  mov dword [ACTION], nmi_inside
  mov dword [APIC + 0x300], 0x00044200
  nop
  call state

  MARK 15                   ; SMI and fixed interrupt together, interrupts on
  mov dword [ACTION], no_action
  sti
  nop
  cli
  mov dword [APIC + 0x300], 0x00044051
  mov dword [APIC + 0x300], 0x00044200
  sti
  nop
  nop
  cli
  call state

  MARK 16                   ; in the shadow of STI and MOV SS
  mov eax, 0
  mov dword [ACTION], no_action
  sti
  out 0xb2, al
  nop
  cli
  mov ax, ss
  mov ss, ax
  out 0xb2, al
  nop
  call state

  MARK 17                   ; HLT ended by an SMI of the APIC's timer, then by its NMI
  mov dword [APIC + 0x3e0], 0xb
  mov dword [APIC + 0x320], 0x200
  mov dword [APIC + 0x380], 100000
  hlt
  call state
  mov dword [APIC + 0x320], 0x400
  mov dword [APIC + 0x380], 100000
  hlt
  call state
  mov dword [ACTION], after_halt
  mov dword [APIC + 0x320], 0x200
  mov dword [APIC + 0x380], 100000
  hlt
  call state
  mov dword [APIC + 0x320], 0x10000

  MARK 18                   ; INT and exceptions inside the handler, through a real-mode table
  lidt [ROM + real_idtr]
  mov dword [0xb000 + 0x40 * 4], 0x3000_0000 + (interrupt_inside - handler + 0x8000)
  mov dword [0xb000 + 0x06 * 4], 0x3000_0000 + (opcode_inside - handler + 0x8000)
  mov dword [0xb000 + 0x00 * 4], 0x3000_0000 + (opcode_inside - handler + 0x8000)
  SMI faults_inside
  lidt [ROM + ram_idtr]
  call state

  MARK 19                   ; protected mode and paging inside the handler
  SMI protected_inside
  call state

  MARK 20                   ; single step over the SMI, and TF set by RSM
  mov dword [EVENT_HANDLER], ROM + seen
  mov dword [ACTION], no_action
  pushfd
  or dword [esp], 0x100
  popfd
  out 0xb2, al
  nop
  pushfd
  and dword [esp], ~0x100
  popfd
  call state
  SMI change_flags, 0x102
  nop
  pushfd
  and dword [esp], ~0x100
  popfd
  call state

  MARK 21                   ; a data breakpoint on the state save area
  mov eax, 0x3fff8
  mov dr0, eax
  mov eax, 0xd0703
  mov dr7, eax
  SMI no_action
  mov eax, 0x400
  mov dr7, eax
  mov eax, dr6
  call out32
  call state

  MARK 22                   ; x87 and SSE state stay; RSM does not touch them
  fninit
  fldpi
  SMI change_fpu
  fnstenv [0x2000]
  mov esi, 0x2000
  mov ecx, 28
  call dump
  call state

  MARK 23                   ; relocation, to places with and without a handler's alignment
  mov edi, 0x58000
  call install
  SMI relocate, 0x50000
  mov dword [SMBASE_NOW], 0x50000
  SMI no_action
  call state
  mov edi, 0x68020
  call install
  SMI relocate, 0x60020
  mov dword [SMBASE_NOW], 0x60020
  SMI no_action
  call state
  MARK 24                   ; no relocation when the revision says so
  SMI relocate_without_revision, 0x90000
  SMI no_action
  call state
  MARK 25                   ; SMBASE above 1 MiB, A20 open and closed
  mov edi, 0x138000
  call install
  SMI relocate, 0x130000
  mov dword [SMBASE_NOW], 0x130000
  SMI no_action
  mov edi, 0x38000
  mov ecx, 0x8000 / 4
  xor eax, eax
  rep stosd
  mov edi, 0x38000
  call install
  in al, 0x92
  and al, ~2
  out 0x92, al
  SMI no_action
  call state
  in al, 0x92
  or al, 2
  out 0x92, al
  mov esi, 0x3fe00
  mov ecx, 0x200
  call dump
  mov edi, 0x58000
  call install
  SMI relocate, 0x50000
  mov dword [SMBASE_NOW], 0x50000

  MARK 26                   ; SMRAM of the host bridge: open, fill, close, use
  mov eax, 0x80000070
  mov dx, PCI
  out dx, eax
  mov dx, PCI + 6
  mov al, 0x4a
  out dx, al
  mov edi, 0xa8000
  call install
  mov dword [0xa0000], 0x5555aaaa
  mov al, 0x0a
  out dx, al
  SMI relocate, 0xa0000
  mov dword [SMBASE_NOW], 0xa0000
  SMI read_smram
  mov eax, [0xa0000]
  call out32
  call state
  jmp finish

real_idtr:
  dw 0x3ff
  dd 0xb000

; Copies the handler to EDI.
install:
  pushad
  mov esi, ROM + handler
  mov ecx, handler_end - handler
  rep movsb
  popad
  ret

; Writes all registers, selectors, flags and control registers.
state:
  pushfd
  pushad
  cld
  OUTB 'S'
  mov esi, esp
  mov ecx, 36
  call dump
  mov ax, ds
  call out32
  mov ax, es
  call out32
  mov ax, ss
  call out32
  mov ax, fs
  call out32
  mov ax, gs
  call out32
  mov eax, cr0
  call out32
  mov eax, cr3
  call out32
  mov eax, cr4
  call out32
  mov eax, dr6
  call out32
  mov eax, dr7
  call out32
  sgdt [0x2100]
  sidt [0x2108]
  mov word [0x2106], 0
  sldt [0x210e]
  str [0x2110]
  mov esi, 0x2100
  mov ecx, 18
  call dump
  mov eax, [SMI_COUNT]
  call out32
  mov ecx, 0x34
  rdmsr
  call out32
  popad
  popfd
  ret

hidden_back:
  lgdt [ROM + ram_gdtr]
  lidt [ROM + ram_idtr]
  and byte [GDT + TSS_SELECTOR + 5], ~2
  mov ax, TSS_SELECTOR
  ltr ax
  xor eax, eax
  lldt ax
  ret

; 4 MiB identity-mapped by small pages, and one at 0x400000 that shows 0x30000; a second directory at 0x16000 where it shows 0x50000.
paging_on:
  mov edi, 0x14000
  mov ecx, 0x4000 / 4
  xor eax, eax
  rep stosd
  mov dword [0x14000], 0x15007
  mov dword [0x14004], 0x17007
  mov dword [0x16000], 0x15007
  mov dword [0x16004], 0x18007
  mov edi, 0x15000
  mov eax, 7
  mov ecx, 1024
.page:
  stosd
  add eax, 0x1000
  loop .page
  mov edi, 0x17000
  mov eax, 0x30007
  mov ecx, 16
.window:
  stosd
  add eax, 0x1000
  loop .window
  mov dword [0x18000], 0x50007
  mov eax, 0x14000
  mov cr3, eax
  mov eax, cr0
  or eax, 0x80000000
  mov cr0, eax
  ret

; Handlers of events with EVENT_HANDLER set.
seen:
  OUTB 'e'
  push eax
  mov eax, [esp + 4]
  out 0xe9, al
  mov eax, [esp + 12]
  call out32
  mov eax, dr6
  call out32
  mov dword [APIC + 0xb0], 0
  pop eax
  add esp, 8
  iretd
seen_with_smi:
  OUTB 'n'
  mov dword [EVENT_HANDLER], ROM + seen
  mov dword [ACTION], no_action
  mov dword [APIC + 0x300], 0x00044400
  out 0xb2, al
  nop
  OUTB 'm'
  add esp, 8
  iretd

; The SMI handler, 16-bit code at SMBASE + 8000h.
bits 16
handler:
  ; what the processor starts with
  push eax
  push ebx
  pushfd
  pop ebx
  mov al, 'H'
  out 0xe9, al
  mov eax, ebx
  call put32
  mov eax, cr0
  call put32
  mov eax, cr4
  call put32
  mov eax, dr6
  call put32
  mov eax, dr7
  call put32
  mov eax, esp
  call put32
  mov ax, cs
  call put32
  mov ax, ds
  call put32
  mov ax, ss
  call put32
  a32 inc dword [dword SMI_COUNT]
  a32 mov ebx, [dword SMBASE_NOW]
  add ebx, 0xfe00
  mov cx, 0x200
.dump:
  a32 mov al, [ebx]
  out 0xe9, al
  inc ebx
  loop .dump
  sub ebx, 0x200
  ; EBX at the area from here on
  a32 mov eax, [dword ACTION]
  call eax_handler
  pop ebx
  pop eax
  rsm

%define AT(offset) ebx + (offset) - 0x7e00
eax_handler:
  a32 mov ecx, [dword ARGUMENT]
  add ax, 0x8000
  jmp ax
put32:
  push cx
  mov cx, 4
.next:
  out 0xe9, al
  ror eax, 8
  loop .next
  pop cx
  ret

%define action(name) name equ $ - handler
action(no_action)
  ret
action(change_registers)
  a32 mov dword [AT(0x7ff0)], ROM + after_registers
  a32 mov dword [AT(0x7fec)], 0xa0a0a0a0
  a32 mov dword [AT(0x7fe8)], 0xa1a1a1a1
  a32 mov dword [AT(0x7fe4)], 0xa2a2a2a2
  a32 mov dword [AT(0x7fdc)], 0xa3a3a3a3
  a32 mov dword [AT(0x7fd8)], 0xa4a4a4a4
  a32 mov dword [AT(0x7fd4)], 0xa5a5a5a5
  a32 mov dword [AT(0x7fd0)], 0xa6a6a6a6
  ret
action(change_flags)
  a32 mov [AT(0x7ff4)], ecx
  ret
action(change_debug)
  a32 mov dword [AT(0x7fcc)], 0x00004003
  a32 mov dword [AT(0x7fc8)], 0x0000002a
  ret
action(change_hidden)
  a32 mov dword [AT(0x7fc4)], 0x12340030
  a32 mov dword [AT(0x7f64)], 0x00012100
  a32 mov dword [AT(0x7f60)], 0x00000077
  a32 mov dword [AT(0x7f5c)], 0xffff018b
  a32 mov dword [AT(0x7fc0)], 0x00000008
  a32 mov dword [AT(0x7f80)], 0x00013000
  a32 mov dword [AT(0x7f7c)], 0x0000001f
  a32 mov dword [AT(0x7f78)], 0x00008082
  a32 mov dword [AT(0x7f74)], GDT + 8
  a32 mov dword [AT(0x7f70)], 0x0001002f
  a32 mov dword [AT(0x7f58)], IDT
  a32 mov dword [AT(0x7f54)], 0x000007fe
  a32 mov dword [AT(0x7fa8)], 0x00015678
  a32 mov dword [AT(0x7f84 + 8)], 0x00001000
  a32 mov dword [AT(0x7f84 + 4)], 0x0000ffff
  a32 mov dword [AT(0x7f84)], 0xffffffff
  a32 mov dword [AT(0x7f2c + 12 + 8)], 0x00002000
  a32 mov dword [AT(0x7f2c + 12 + 4)], 0x00000fff
  a32 mov dword [AT(0x7f2c + 12)], 0x00000091
  ret
action(change_cr3)
  a32 mov [AT(0x7ff8)], ecx
  ret
action(change_cr4)
  a32 mov [AT(0x7f14)], ecx
  ret
action(change_cr0)
  a32 mov [AT(0x7ffc)], ecx
  ret
action(change_cpl)
  ; back to the kernel: flat code and stack segments of CPL 0
  a32 mov dword [AT(0x7fa8 + 4)], CODE32
  a32 mov dword [AT(0x7f84 + 12)], 0xc09b
  a32 mov dword [AT(0x7f84 + 12 + 4)], 0xffffffff
  a32 mov dword [AT(0x7f84 + 12 + 8)], 0
  a32 mov dword [AT(0x7fa8 + 8)], DATA32
  a32 mov dword [AT(0x7f84 + 24)], 0xc093
  a32 mov dword [AT(0x7f84 + 24 + 4)], 0xffffffff
  a32 mov dword [AT(0x7f84 + 24 + 8)], 0
  a32 mov dword [AT(0x7ff4)], 2
  a32 mov dword [AT(0x7ff0)], ROM + back_in_kernel
  a32 inc dword [dword kernel_entries]
  a32 cmp dword [dword kernel_entries], 1
  je .done
  a32 mov dword [AT(0x7ff0)], ROM + back_from_v86
.done:
  ret
action(smi_inside)
  a32 mov dword [dword ACTION], no_action
  out 0xb2, al
  nop
  nop
  ret
action(nmi_inside)
  a32 mov dword [dword APIC + 0x300], 0x00044400
  nop
  nop
  mov al, 'i'
  out 0xe9, al
  ret
action(nmi_and_iret)
  a32 mov dword [dword APIC + 0x300], 0x00044400
  ; its vector is taken through the real-mode table then: the protected-mode one, read that way, is not to be used
  a32 mov dword [dword IDT + 8], 0x30000000 + (interrupt_inside - handler + 0x8000)
  pushf
  push cs
  push word .behind - handler + 0x8000
  iret
.behind:
  mov al, 'j'
  out 0xe9, al
  a32 mov dword [dword IDT + 8], CODE32 << 16 | (stubs - $$ + 10)
  ret
action(after_halt)
  mov al, 'h'
  out 0xe9, al
  ret
action(faults_inside)
  int 0x40
  ud2
  xor dx, dx
  mov ax, 5
  div dx
  mov al, 'k'
  out 0xe9, al
  ret
action(protected_inside)
  ; RSM from protected mode
  mov eax, cr0
  or al, 1
  mov cr0, eax
  jmp $ + 2
  mov ax, DATA32
  a32 mov cx, [dword ARGUMENT]
  mov es, ax
  a32 mov eax, [es:dword GDT + 8]
  call put32
  mov eax, cr0
  call put32
  pop ax
  pop ebx
  pop eax
  rsm
action(change_fpu)
  fldz
  fld1
  ret
action(relocate)
  a32 mov [AT(0x7ef8)], ecx
  ret
action(relocate_without_revision)
  a32 mov dword [AT(0x7efc)], 0xfffdffff
  a32 mov [AT(0x7ef8)], ecx
  ret
action(read_smram)
  a32 mov eax, [dword 0xa0000]
  call put32
  a32 mov dword [dword 0xa0000], 0x12345678
  ret
interrupt_inside:
  push eax
  mov al, 'I'
  out 0xe9, al
  pop eax
  iret
opcode_inside:
  push bp
  mov bp, sp
  push eax
  mov al, 'U'
  out 0xe9, al
  mov eax, [bp + 2]
  call put32
  add word [bp + 2], 2
  pop eax
  pop bp
  iret
handler_end:
bits 32
kernel_entries equ 0x710
back_from_v86:
  mov ax, DATA32
  mov ds, ax
  mov es, ax
  mov fs, ax
  mov gs, ax
  mov esp, 0x7c000
  jmp after_v86
%include "judge-end.inc"
