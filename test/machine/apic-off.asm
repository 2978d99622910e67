; Prints bit 9 (local APIC) of CPUID leaves 1 and 0x80000001 and bits 8-11 of IA32_APIC_BASE: at start, switched off, on again; then once more after a reset.
bits 16
org 0
start:
  mov ax, 0x1000
  mov ss, ax
  mov sp, 0x1000
  call cpuid_bits
  call base
  mov ecx, 0x1b
  rdmsr
  and ax, 0xf7ff
  wrmsr
  call base
  call cpuid_bits
  mov ecx, 0x1b       ; cannot be enabled again
  rdmsr
  or ax, 0x800
  wrmsr
  call base
  call cpuid_bits
  mov al, 0x34        ; a CMOS byte says that the reset was done
  out 0x70, al
  in al, 0x71
  cmp al, 0x5a
  je done
  mov al, 0x34
  out 0x70, al
  mov al, 0x5a
  out 0x71, al
  mov al, 0xfe
  out 0x64, al
  hlt
done:
  out 0xf4, al
  hlt
cpuid_bits:
  mov eax, 1
  call one
  mov eax, 0x80000001
one:
  cpuid
  shr edx, 9
  and dl, 1
  mov al, dl
  add al, '0'
  out 0xe9, al
  ret
base:
  mov ecx, 0x1b
  rdmsr
  shr eax, 8
  and al, 15
  add al, 'a'
  out 0xe9, al
  ret
times 0xfff0-($-$$) db 0
  jmp 0xf000:0
times 0x10000-($-$$) db 0
