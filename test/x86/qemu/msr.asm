; RDMSR and WRMSR of every register number in the ranges below, known or not, MONITOR and MWAIT, and all of them in CPL 3.
; For each number that reads other than 0, or faults, or takes a value: number, what it held, what it holds after two values were written.
%include "judge.inc"
%define APIC 0xfee00000
%define VALUES 0x700        ; three quadwords
%define INTERESTING 0x71c
%define NUMBER 0x720

main:
  mov esi, ROM + ranges
.range:
  lodsd
  mov ebx, eax
  lodsd
  mov ebp, eax
  cmp ebp, 0
  je waiting
.number:
  mov [NUMBER], ebx
  push esi
  call try
  pop esi
  inc ebx
  cmp ebx, ebp
  jne .number
  jmp .range
ranges:
  dd 0x0, 0x11, 0x17, 0x1b, 0x1c, 0x800, 0xd00, 0xe00, 0x40000000, 0x40000100, 0xc0000000, 0xc0000200, 0xc0010000, 0xc0010200, 0, 0

; Register EBX: IA32_APIC_BASE is left out, as writing it cannot be undone, and the bit of EFER for SVM.
try:
  mov dword [INTERESTING], 0
  mov edi, VALUES
  call read
  mov eax, 0x1234a000
  mov edx, 0x00000005
  call write
  call read
  mov eax, 0xffffffff
  mov edx, 0xffffffff
  cmp ebx, 0xc0000080
  jne .all
  and eax, ~0x1000
.all:
  call write
  call read
  mov eax, [VALUES]
  mov edx, [VALUES + 4]
  call write
  cmp dword [INTERESTING], 0
  je .end
  mov eax, ebx
  call out32
  mov esi, VALUES
  mov ecx, 24
  call dump
.end:
  ret
read:
  RECOVER read_fault
  mov ecx, ebx
  rdmsr
  or [INTERESTING], eax
  or [INTERESTING], edx
  jmp store
read_fault:
  mov ebx, [NUMBER]
  mov eax, 0xbadbad00
  mov edx, eax
  mov dword [INTERESTING], 1
store:
  mov [edi], eax
  mov [edi + 4], edx
  add edi, 8
  ret
write:
  RECOVER write_fault
  mov ecx, ebx
  wrmsr
write_fault:
  ret

waiting:
  OUTB 'w'
  mov ecx, 0x1b
  rdmsr
  call out32
  mov eax, edx
  call out32
  mov dword [APIC + 0xf0], 0x1ff
  mov dword [APIC + 0x3e0], 0xb
  mov dword [APIC + 0x320], 0x10000
  mov edi, 0
.case:
  OUTB 'c'
  RECOVER .next
  mov eax, 0x2000
  xor ecx, ecx
  xor edx, edx
  jmp [ROM + waits + edi * 4]
.next:
  inc edi
  cmp edi, (waits_end - waits) / 4
  jb .case
  mov dword [EVENT_HANDLER], ROM + user_fault
  mov edi, 0
.user:
  mov ebx, [ROM + user_cases + edi * 4]
  mov [RESUME_ESP], esp
  push dword USER_DATA
  push dword 0x78000
  push dword 2
  push dword USER_CODE
  push ebx
  mov eax, 0
  mov ecx, 0x10
  iretd
after_user:
  inc edi
  cmp edi, (user_cases_end - user_cases) / 4
  jb waiting.user
  jmp finish
user_cases:
  dd ROM + .rdmsr, ROM + .wrmsr, ROM + .monitor, ROM + .mwait
.rdmsr:
  rdmsr
  int 0x80
.wrmsr:
  wrmsr
  int 0x80
.monitor:
  mov ecx, 0
  monitor
  int 0x80
.mwait:
  mov ecx, 0
  mwait
  int 0x80
user_cases_end equ user_cases + 16
; Vector and error code on the stack
user_fault:
  mov ax, DATA32
  mov ds, ax
  mov es, ax
  pop eax
  out 0xe9, al
  pop eax
  call out32
  pop eax
  call out32
  mov esp, [RESUME_ESP]
  jmp after_user

waits:
  dd ROM + .monitor, ROM + .monitor_hint, ROM + .mwait_hint, ROM + .monitor_address, ROM + .monitor16, ROM + .mwait, ROM + .mwait_if
waits_end equ waits + 28
.monitor:
  monitor
  jmp waiting.next
.monitor_hint:
  mov ecx, 1
  monitor
  jmp waiting.next
.mwait_hint:
  mov ecx, 1
  mwait
  jmp waiting.next
.monitor_address:
  mov eax, 0xf0000000
  fs monitor
  jmp waiting.next
.monitor16:
  mov eax, 0x12345678
  a16 monitor
  jmp waiting.next
.mwait:
  mov dword [EVENT_HANDLER], ROM + woken
  mov dword [APIC + 0x320], 0x400
  mov dword [APIC + 0x380], 100000
  mov eax, 0x2000
  monitor
  mwait
  jmp woke
.mwait_if:
  mov dword [EVENT_HANDLER], ROM + woken
  mov dword [APIC + 0x320], 0x55
  mov dword [APIC + 0x380], 100000
  sti
  mov eax, 0x2000
  monitor
  mwait
  cli
woke:
  OUTB 'k'
  mov dword [EVENT_HANDLER], 0
  jmp waiting.next
woken:
  OUTB 'e'
  push eax
  mov eax, [esp + 4]
  out 0xe9, al
  mov eax, [esp + 12]
  call out32
  cmp dword [esp + 4], 6
  je .undefined
  mov dword [APIC + 0xb0], 0
  pop eax
  add esp, 8
  iretd
.undefined:
  mov dword [APIC + 0x320], 0x10000
  mov esp, [RESUME_ESP]
  jmp woke
%include "judge-end.inc"
