; INIT and start-up messages of the local APIC, which the processor sends to itself: what INIT resets and what it keeps.
; INIT starts the ROM again, so that `main` goes on by PHASE.
%include "judge.inc"
%define PHASE 0x700
%define BUFFER 0x20000
%define APIC 0xfee00000
%define ICR 0xfee00300
%define SEND_INIT 0x00044500
%define SEND_SIPI 0x00044600

main:
  mov eax, [PHASE]
  inc dword [PHASE]
  cmp eax, (phases_end - phases) / 4
  jae finish
  jmp [ROM + phases + eax * 4]
phases:
  dd ROM + phase0, ROM + phase1, ROM + phase2, ROM + phase3, ROM + phase4, ROM + phase5, ROM + phase6
phases_end:

; First start: change everything that can be changed, then INIT.
phase0:
  OUTB '0'
  call report
  mov eax, cr4
  or eax, 0x600
  mov cr4, eax
  fninit
  fldpi
  fld1
  fldln2
  fldcw [ROM + control_word]
  movups xmm0, [ROM + pattern]
  movups xmm3, [ROM + pattern + 5]
  movups xmm7, [ROM + pattern + 9]
  ldmxcsr [ROM + mxcsr]
  mov esi, ROM + registers
.write:
  lodsd
  test eax, eax
  jz .written
  mov ecx, eax
  mov eax, 0x12344000
  mov edx, 0
  wrmsr
  jmp .write
.written:
  mov eax, 0x1234
  mov dr0, eax
  mov dr3, eax
  mov eax, 0x2aa
  mov dr7, eax
  mov eax, 0x400f
  mov dr6, eax
  mov eax, 0x55
  mov cr2, eax
  mov eax, 0x13000
  mov cr3, eax
  mov dword [APIC + 0x20], 0x05000000
  mov dword [APIC + 0xf0], 0x1ff
  mov dword [APIC + 0x80], 0x20
  mov dword [APIC + 0x320], 0x20051
  mov dword [APIC + 0x380], 0x1000
  mov dword [APIC + 0x20], 0
  call report
  mov eax, 0x11111111
  mov ecx, 0x22222222
  mov edx, 0x33333333
  mov ebx, 0x44444444
  mov ebp, 0x66666666
  mov esi, 0x77777777
  mov edi, 0x88888888
  std
  stc
  mov dword [ICR], SEND_INIT
  nop
  nop
  OUTB '?'
  jmp finish

; After INIT: then INIT by de-assertion (nothing), and a start-up message (nothing: this is the bootstrap processor).
phase1:
  OUTB '1'
  call report
  mov dword [ICR], 0x00048500
  nop
  OUTB 'd'
  mov dword [ICR], SEND_SIPI | 0x12
  nop
  OUTB 's'
  mov dword [ICR], SEND_SIPI | 0x12
  mov dword [ICR], SEND_INIT
  nop
  jmp finish

; INIT with interrupts on and one pending, an NMI at the same time, the A20 gate closed.
phase2:
  OUTB '2'
  call report
  mov dword [APIC + 0xf0], 0x1ff
  in al, 0x92
  and al, ~2
  out 0x92, al
  mov dword [ICR], 0x00044051
  mov dword [EVENT_HANDLER], ROM + seen
  mov dword [ICR], 0x00044400
  mov dword [ICR], SEND_INIT
  nop
  jmp finish

; INIT does not wake a halted processor: a timer's NMI does, and then INIT goes first.
phase3:
  OUTB '3'
  call report
  in al, 0x92
  out 0xe9, al
  mov eax, [0x100000 + PHASE]
  call out32
  in al, 0x92
  or al, 2
  out 0x92, al
  mov dword [EVENT_HANDLER], ROM + seen
  mov dword [APIC + 0xf0], 0x1ff
  mov dword [APIC + 0x3e0], 0xb
  mov dword [APIC + 0x320], 0x500
  mov dword [APIC + 0x380], 20000
  mov dword [APIC + 0x320], 0x400
  mov dword [APIC + 0x380], 200000
  hlt
  call report
  mov dword [ICR], SEND_INIT
  nop
  jmp finish

; INIT inside an SMI's handler, whose SMBASE was changed before.
phase4:
  OUTB '4'
  call report
  mov dx, 0xcf8
  mov eax, 0x80000b58
  out dx, eax
  mov dx, 0xcfc
  mov eax, 0x02000000
  out dx, eax
  mov edi, 0x38000
  mov esi, ROM + smi_handler
  mov ecx, smi_handler_end - smi_handler
  rep movsb
  mov edi, 0x48000
  mov esi, ROM + smi_handler
  mov ecx, smi_handler_end - smi_handler
  rep movsb
  mov al, 1
  out 0xb2, al
  OUTB 'r'
  call report
  mov byte [smi_action], 1
  mov al, 1
  out 0xb2, al
  nop
  jmp finish

; SMBASE is kept: the second SMI goes there too.
phase5:
  OUTB '5'
  call report
  mov byte [smi_action], 2
  mov al, 1
  out 0xb2, al
  OUTB 'r'
  ; INIT under paging, in CPL 3 with I/O rights, as an interrupt's shadow begins
  push dword USER_DATA
  push dword 0x78000
  push dword 0x3202
  push dword USER_CODE
  push dword ROM + user
  iretd
user:
  mov dword [ds:ICR], SEND_INIT
  nop
  nop
  jmp $

phase6:
  OUTB '6'
  call report
  jmp finish

smi_action equ 0x710
control_word:
  dw 0x0a7a
mxcsr:
  dd 0x0000bfa1
pattern:
  db 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32
; Written with 0x12344000 and reported; ended by 0.
registers:
  dd 0x174, 0x175, 0x176, 0x277, 0x2ff, 0x17a, 0x1a0, 0x200, 0x201, 0x20f, 0x250, 0x258, 0x26f, 0xc0000080, 0xc0000081, 0xc0000103
  dd 0xc0010117, 0x6e1, 0xd90, 0x401, 0x402, 0x403, 0x427, 0
read_only:
  dd 0x1b, 0x34, 0x400, 0x17b, 0

seen:
  OUTB 'e'
  push eax
  mov eax, [esp + 4]
  out 0xe9, al
  mov eax, [esp + 12]
  call out32
  mov dword [APIC + 0xb0], 0
  pop eax
  add esp, 8
  iretd

; Everything INIT may touch. What `start` has changed since does not count: CR0, GDTR, segments, IDTR, TR, and general registers.
report:
  pushfd
  pushad
  cld
  mov esi, esp
  mov ecx, 36
  call dump
  mov eax, cr0
  call out32
  mov eax, cr2
  call out32
  mov eax, cr3
  call out32
  mov eax, cr4
  call out32
  mov eax, dr0
  call out32
  mov eax, dr3
  call out32
  mov eax, dr6
  call out32
  mov eax, dr7
  call out32
  sldt ax
  call out32
  mov eax, cr4
  push eax
  or eax, 0x200
  mov cr4, eax
  fxsave [BUFFER]
  pop eax
  mov cr4, eax
  mov esi, BUFFER
  mov ecx, 288
  call dump
  mov esi, ROM + registers
  call report_registers
  mov esi, ROM + read_only
  call report_registers
  mov esi, APIC
.apic:
  mov eax, [esi]
  cmp esi, APIC + 0x390     ; the current count moves
  je .skip
  call out32
.skip:
  add esi, 16
  cmp esi, APIC + 0x400
  jb .apic
  popad
  popfd
  ret
report_registers:
  lodsd
  test eax, eax
  jz .end
  mov ecx, eax
  rdmsr
  call out32
  mov eax, edx
  call out32
  jmp report_registers
.end:
  ret

bits 16
smi_handler:
  mov al, 'h'
  out 0xe9, al
  mov ax, cs
  out 0xe9, al
  mov al, ah
  out 0xe9, al
  mov al, [smi_action]
  cmp al, 1
  je .init
  ja .leave
  mov ebx, 0x3fef8
  a32 mov dword [ebx], 0x40000
  rsm
.leave:
  rsm
.init:
  mov ebx, ICR
  a32 mov dword [ebx], SEND_INIT
  nop
  nop
  mov al, '!'
  out 0xe9, al
  rsm
smi_handler_end:
bits 32
%include "judge-end.inc"
