; The built-in guest of `palindrome demo`: a small 32-bit multiboot kernel.
; It takes timer, keyboard and serial interrupts, reads the RTC, maps pages on demand in its page-fault handler, rewrites its own code,
; moves memory with REP, does 64-bit and x87 arithmetic, reports on COM1, and leaves through isa-debug-exit at port 0xf4.
; Build, in the repository's folder: nasm -f bin src/cli/demo/guest.asm -o guest.bin   (tools/build-guest.ts puts the result into guest-image.ts)

bits 32
org 0x100000
%include "src/cli/demo/pics.inc"

COM1        equ 0x3f8
EXIT_PORT   equ 0xf4
TICKS_TOTAL equ 400                 ; timer ticks at 100 Hz before the guest gives up waiting for input
PIT_DIVISOR equ 11932               ; 1193182 Hz / 100
DIRECTORY   equ 0x200000
TABLE_LOW   equ 0x201000            ; maps 0..4 MiB
TABLE_LAZY  equ 0x202000            ; 4 MiB..8 MiB, filled by the page-fault handler
LAZY_BASE   equ 0x400000
LAZY_PAGES  equ 64
FRAMES      equ 0x300000            ; physical frames handed out by the page-fault handler

multiboot_header:
  dd 0x1badb002, 0x00010000, -(0x1badb002 + 0x00010000)
  dd multiboot_header, multiboot_header, image_end, bss_end, start

%macro PRINT 1
  mov esi, %%text
  call print
  jmp %%over
%%text: db %1, 0
%%over:
%endmacro

start:
  cli
  mov esp, stack_top
  lgdt [gdt_pointer]
  jmp 8:.reload
.reload:
  mov ax, 16
  mov ds, ax
  mov es, ax
  mov fs, ax
  mov gs, ax
  mov ss, ax
  call setup_serial
  PRINT {"palindrome demo guest", 10}
  call setup_interrupts
  call setup_paging
  call setup_timers
  call show_clock
  sti
main_loop:
  call work_memory
  call work_integer
  call work_fpu
  call work_self_modifying
  call work_pages
  call report
  inc dword [round]
  mov eax, [ticks]
  cmp eax, TICKS_TOTAL
  jae finish
  cmp byte [line_done], 0
  je .sleep
  cmp dword [keys], 6
  jae finish
.sleep:
  sti
  hlt
  jmp main_loop

finish:
  cli
  PRINT {"keys "}
  mov eax, [keys]
  call print_decimal
  PRINT {", line: "}
  mov esi, line
  call print
  PRINT {10, "checksum "}
  mov eax, [checksum]
  call print_hex
  PRINT {10, "bye", 10}
  mov al, 0
  out EXIT_PORT, al
.forever:
  hlt
  jmp .forever

; ---- set-up -------------------------------------------------------------------------------------------------------------------------

setup_serial:
  mov dx, COM1 + 3
  mov al, 0x80                      ; DLAB
  out dx, al
  mov dx, COM1
  mov al, 1                         ; 115200 baud
  out dx, al
  inc dx
  xor al, al
  out dx, al
  mov dx, COM1 + 3
  mov al, 3                         ; 8n1
  out dx, al
  dec dx
  mov al, 7                         ; FIFO on, cleared
  out dx, al
  mov dx, COM1 + 4
  mov al, 0x0b                      ; DTR RTS OUT2
  out dx, al
  mov dx, COM1 + 1
  mov al, 1                         ; interrupt on received data
  out dx, al
  ret

setup_interrupts:
  mov edi, idt
  mov ecx, 256
  mov eax, isr_spurious
.fill:
  call set_gate
  loop .fill
  mov edi, idt + 14 * 8
  mov eax, isr_page_fault
  call set_gate
  mov edi, idt + 3 * 8
  mov eax, isr_breakpoint
  call set_gate
  mov edi, idt + 0x20 * 8
  mov eax, isr_timer
  call set_gate
  mov eax, isr_keyboard
  call set_gate
  mov edi, idt + 0x24 * 8
  mov eax, isr_serial
  call set_gate
  mov edi, idt + 0x28 * 8
  mov eax, isr_rtc
  call set_gate
  lidt [idt_pointer]
  INIT_PICS 0x20, 0x28, 0xe8, 0xfe   ; open: timer, keyboard, cascade, COM1; RTC
  ret

set_gate:                           ; eax handler, edi gate; edi advances
  push eax
  mov [edi], ax
  mov word [edi + 2], 8
  mov word [edi + 4], 0x8e00
  shr eax, 16
  mov [edi + 6], ax
  pop eax
  add edi, 8
  ret

setup_paging:
  mov edi, DIRECTORY
  mov ecx, 3 * 1024
  xor eax, eax
  rep stosd
  mov dword [DIRECTORY], TABLE_LOW + 3
  mov dword [DIRECTORY + 4], TABLE_LAZY + 3
  mov edi, TABLE_LOW
  mov eax, 3
.low:
  stosd
  add eax, 0x1000
  cmp edi, TABLE_LOW + 0x1000
  jb .low
  mov eax, DIRECTORY
  mov cr3, eax
  mov eax, cr0
  or eax, 0x80010000                ; PG, WP
  mov cr0, eax
  ret

setup_timers:
  mov al, 0x34                      ; channel 0, mode 2
  out 0x43, al
  mov al, PIT_DIVISOR & 0xff
  out 0x40, al
  mov al, PIT_DIVISOR >> 8
  out 0x40, al
  mov al, 0x0b                      ; RTC: update-ended interrupt
  out 0x70, al
  in al, 0x71
  or al, 0x10
  mov ah, al
  mov al, 0x0b
  out 0x70, al
  mov al, ah
  out 0x71, al
  mov al, 0xae                      ; keyboard interface on
  out 0x64, al
  ret

; ---- work ---------------------------------------------------------------------------------------------------------------------------

mix:                                ; checksum = rol(checksum, 5) ^ eax
  push ebx
  mov ebx, [checksum]
  rol ebx, 5
  xor ebx, eax
  mov [checksum], ebx
  pop ebx
  ret

work_memory:                        ; REP STOS, MOVS, CMPS, SCAS
  cld
  mov edi, buffer
  mov eax, [round]
  imul eax, eax, 0x01010101
  mov ecx, 1024
  rep stosd
  mov esi, buffer
  mov edi, buffer + 4096
  mov ecx, 4096
  rep movsb
  mov byte [buffer + 4096 + 3000], 0xa5
  mov esi, buffer
  mov edi, buffer + 4096
  mov ecx, 4096
  repe cmpsb
  mov eax, ecx
  call mix
  mov edi, buffer + 4096
  mov al, 0xa5
  mov ecx, 4096
  repne scasb
  mov eax, ecx
  jmp mix

work_integer:                       ; a 64-bit linear congruential generator, 64-bit sums, division
  mov ecx, 20000
.loop:
  mov eax, [seed]
  mov ebx, 1664525
  mul ebx
  add eax, 1013904223
  adc edx, 0
  mov [seed], eax
  add [sum], eax
  adc [sum + 4], edx
  mov edx, [sum + 4]
  and edx, 0xffff
  mov ebx, 0x10001
  mov eax, [sum]
  div ebx
  xor [seed + 4], edx
  shld eax, edx, 7
  bsr edx, eax
  setc dl
  movzx edx, dl
  dec ecx
  jnz .loop
  mov eax, [sum]
  call mix
  mov eax, [seed + 4]
  jmp mix

work_fpu:                           ; pi by Machin's sum in 80-bit precision, and a square root
  fninit
  fldz
  mov dword [term], 1
  mov ecx, 500
.loop:
  fild dword [term]
  fld1
  fdivrp st1, st0
  test ecx, 1
  jz .plus
  fchs
.plus:
  faddp st1, st0
  add dword [term], 2
  dec ecx
  jnz .loop
  fabs
  fsqrt
  fstp tword [float_bits]
  mov eax, [float_bits]
  call mix
  mov eax, [float_bits + 4]
  jmp mix

work_self_modifying:                ; patches the immediate of the instruction it then runs
  mov ecx, 50
.loop:
  mov eax, [ticks]
  add eax, ecx
  mov [.patched + 1], eax
.patched:
  mov eax, 0
  call mix
  dec ecx
  jnz .loop
  int3
  ret

work_pages:                         ; touches one lazily mapped page a round, and unmaps it again every fourth round
  mov eax, [round]
  and eax, LAZY_PAGES - 1
  shl eax, 12
  lea edi, [eax + LAZY_BASE]
  mov ebx, [edi]                    ; page fault the first time
  inc dword [edi + 8]
  mov eax, [edi + 8]
  call mix
  test dword [round], 3
  jnz .done
  mov eax, edi
  shr eax, 12
  and eax, 1023
  mov dword [TABLE_LAZY + eax * 4], 0
  invlpg [edi]
.done:
  ret

; ---- reports ------------------------------------------------------------------------------------------------------------------------

report:
  mov eax, [round]
  and eax, 15
  jnz .done
  PRINT {"round "}
  mov eax, [round]
  call print_decimal
  PRINT {"  faults "}
  mov eax, [faults]
  call print_decimal
  PRINT {"  checksum "}
  mov eax, [checksum]
  call print_hex
  PRINT {10}
.done:
  ret

show_clock:
  PRINT {"time "}
  mov al, 4
  call print_rtc
  PRINT {":"}
  mov al, 2
  call print_rtc
  PRINT {":"}
  mov al, 0
  call print_rtc
  PRINT {10}
  ret

print_rtc:                          ; al register number, contents are BCD
  out 0x70, al
  in al, 0x71
  push eax
  shr al, 4
  call print_digit
  pop eax
  and al, 15
print_digit:
  add al, '0'
  jmp put_char

print:                              ; esi zero-terminated
  lodsb
  test al, al
  jz .done
  call put_char
  jmp print
.done:
  ret

put_char:                           ; al
  push edx
  push eax
  mov dx, COM1 + 5
.wait:
  in al, dx
  test al, 0x20
  jz .wait
  pop eax
  mov dx, COM1
  out dx, al
  pop edx
  ret

print_decimal:                      ; eax
  mov ebx, 10
  xor ecx, ecx
.divide:
  xor edx, edx
  div ebx
  push edx
  inc ecx
  test eax, eax
  jnz .divide
.digits:
  pop eax
  call print_digit
  loop .digits
  ret

print_hex:                          ; eax
  mov ebx, eax
  mov ecx, 8
.loop:
  rol ebx, 4
  mov al, bl
  and al, 15
  cmp al, 10
  jb .digit
  add al, 'a' - '0' - 10
.digit:
  call print_digit
  loop .loop
  ret

; ---- interrupts ---------------------------------------------------------------------------------------------------------------------

isr_spurious:
  iretd

isr_breakpoint:
  inc dword [breakpoints]
  iretd

isr_timer:
  push eax
  inc dword [ticks]
  mov al, 0x20
  out 0x20, al
  pop eax
  iretd

isr_keyboard:
  push eax
  in al, 0x60
  movzx eax, al
  call mix
  inc dword [keys]
  mov al, 0x20
  out 0x20, al
  pop eax
  iretd

isr_serial:
  push eax
  push edx
  push ebx
.more:
  mov dx, COM1 + 5
  in al, dx
  test al, 1
  jz .done
  mov dx, COM1
  in al, dx
  cmp al, 10
  je .end_of_line
  mov ebx, [line_length]
  cmp ebx, 60
  jae .more
  mov [line + ebx], al
  inc dword [line_length]
  jmp .more
.end_of_line:
  mov byte [line_done], 1
  jmp .more
.done:
  mov al, 0x20
  out 0x20, al
  pop ebx
  pop edx
  pop eax
  iretd

isr_rtc:
  push eax
  mov al, 0x0c
  out 0x70, al
  in al, 0x71
  inc dword [seconds]
  mov al, 0x20
  out 0xa0, al
  out 0x20, al
  pop eax
  iretd

isr_page_fault:                     ; maps the page that was missing
  push eax
  push ebx
  mov eax, cr2
  shr eax, 12
  and eax, 1023
  mov ebx, [faults]
  and ebx, 63
  shl ebx, 12
  add ebx, FRAMES + 3
  mov [TABLE_LAZY + eax * 4], ebx
  inc dword [faults]
  pop ebx
  pop eax
  add esp, 4                        ; error code
  iretd

; ---- data ---------------------------------------------------------------------------------------------------------------------------

align 8
gdt: dq 0, 0x00cf9a000000ffff, 0x00cf92000000ffff
gdt_pointer: dw 23
  dd gdt
idt_pointer: dw 256 * 8 - 1
  dd idt
image_end:

absolute 0x110000
idt: resq 256
buffer: resb 8192
seed: resd 2
sum: resd 2
float_bits: resb 16
checksum: resd 1
ticks: resd 1
seconds: resd 1
keys: resd 1
faults: resd 1
breakpoints: resd 1
round: resd 1
term: resd 1
line_length: resd 1
line_done: resd 1
line: resb 64
stack: resb 8192
stack_top:
bss_end:
