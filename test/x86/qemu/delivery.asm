; Hardware interrupts and NMIs whose delivery faults: gate or its code segment not present, table too short, double faults; running and halted.
%include "judge.inc"
%define APIC 0xfee00000
%define COUNT 0x700

main:
  mov dword [APIC + 0xf0], 0x1ff
  mov dword [APIC + 0x350], 0x700
  mov dword [EVENT_HANDLER], ROM + event
  mov al, 0x11
  out 0x20, al
  mov al, 0x20
  out 0x21, al
  mov al, 4
  out 0x21, al
  mov al, 1
  out 0x21, al
  mov al, 0xfe
  out 0x21, al
  ; PIT channel 0, mode 2, about 1 kHz
  mov al, 0x34
  out 0x43, al
  mov al, 0xa9
  out 0x40, al
  mov al, 4
  out 0x40, al

  OUTB '1'                  ; gate not present
  and byte [IDT + 0x20 * 8 + 5], 0x7f
  call busy
  call asleep
  OUTB '2'                  ; not a gate
  mov byte [IDT + 0x20 * 8 + 5], 0x82
  call busy
  call asleep
  OUTB '3'                  ; its code segment is not present
  mov byte [IDT + 0x20 * 8 + 5], 0x8e
  mov byte [GDT + CODE16 + 5], 0x1b
  mov word [IDT + 0x20 * 8 + 2], CODE16
  call busy
  call asleep
  mov word [IDT + 0x20 * 8 + 2], CODE32
  OUTB '4'                  ; the table ends before
  lidt [ROM + short_idtr]
  call busy
  call asleep
  lidt [ROM + ram_idtr]
  OUTB '5'                  ; two faults: a double fault
  and byte [IDT + 0x20 * 8 + 5], 0x7f
  and byte [IDT + 11 * 8 + 5], 0x7f
  call busy
  call asleep
  or byte [IDT + 11 * 8 + 5], 0x80
  OUTB '6'                  ; NMI
  and byte [IDT + 2 * 8 + 5], 0x7f
  mov dword [APIC + 0x300], 0x00044400
  nop
  nop
  ; masked from then on
  mov dword [APIC + 0x300], 0x00044400
  nop
  OUTB '7'                  ; behind an exception of the instruction itself, and with the trap flag
  mov dword [COUNT], 0
  sti
.ud:
  int 0x80
  cmp dword [COUNT], 20000
  jb .ud
  cli
  OUTB '8'
  jmp finish

short_idtr:
  dw 0x20 * 8 + 6
  dd IDT

; Runs until three events have come.
busy:
  mov dword [COUNT], 0
  sti
.wait:
  cmp dword [COUNT], 3
  jb .wait
  cli
  ret
; Sleeps until three events have come.
asleep:
  mov dword [COUNT], 0
.wait:
  sti
  hlt
  cli
  cmp dword [COUNT], 3
  jb .wait
  ret

; Vector and error code on the stack, which only faults have: says both and EIP.
event:
  push eax
  inc dword [COUNT]
  mov eax, [esp + 4]
  cmp eax, -128
  je .leave
  out 0xe9, al
  mov eax, [esp + 8]
  call out32
  mov eax, [esp + 12]
  call out32
  mov al, 0x20
  out 0x20, al
.leave:
  pop eax
  add esp, 8
  iretd
%include "judge-end.inc"
