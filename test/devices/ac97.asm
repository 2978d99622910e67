; Plays and records by the AC97 controller at several rates, polls its registers and takes its interrupts, and sends what it sees to port 0xe9 with the time
; (RDTSC, from the beginning of each experiment). Ends through port 0xf4. Tests choose among the experiments of the table at 0x600, which ends with a zero.
bits 16
org 0
NAM equ 0xc000
NABM equ 0xc400
LIST equ 0x20000         ; descriptors of channel c at LIST + c * 256
BUFFERS equ 0x30000      ; of channel c at BUFFERS + c * 0x20000, 0x1000 bytes from one to the next
IDT equ 0x10000
NOW equ 0x9000           ; start of the experiment
SEEN equ 0x9010          ; what was sent of each channel last: two dwords
LEFT equ 0x9030          ; how often the list is still extended
DONE equ 0x9034          ; the middle action has been done
IRQS equ 0x9038
start:
  cli
  lgdt [cs:gdtr]
  mov eax, cr0
  or al, 1
  mov cr0, eax
  jmp dword 8:0xf0000 + protected
align 8
gdt:
  dq 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdtr:
  dw 23
  dd 0xf0000 + gdt
idtr:
  dw 0x7ff
  dd IDT
bits 32
protected:
  mov ax, 16
  mov ds, ax
  mov es, ax
  mov ss, ax
  mov esp, 0x8000
  ; Interrupt 11 at vector 0x2b; all PCI interrupts go there.
  mov edi, IDT
gates:
  mov dword [edi], 0x80000 + spurious
  mov dword [edi + 4], 0xf8e00
  add edi, 8
  cmp edi, IDT + 0x30 * 8
  jb gates
  mov dword [IDT + 0x2b * 8], 0x80000 + handler
  lidt [0xf0000 + idtr]
  mov esi, 0xf0000 + pics
pic:
  movzx edx, word [esi]
  mov al, [esi + 2]
  out dx, al
  add esi, 3
  cmp esi, 0xf0000 + pics_end
  jb pic
  mov eax, 0x80000860
  mov ebx, 0x0b0b0b0b
  call config
  ; The card may be in any slot.
  mov ecx, 0x80000000
find:
  add ecx, 0x800
  mov eax, ecx
  mov dx, 0xcf8
  out dx, eax
  mov dx, 0xcfc
  in eax, dx
  cmp eax, 0x24158086
  jne find
  lea eax, [ecx + 0x10]
  mov ebx, NAM
  call config
  lea eax, [ecx + 0x14]
  mov ebx, NABM
  call config
  lea eax, [ecx + 4]
  mov ebx, 5
  call config
  ; Noise.
  mov edi, BUFFERS
  mov eax, 12345
noise:
  imul eax, eax, 1103515245
  add eax, 12345
  stosd
  cmp edi, BUFFERS + 0x60000
  jb noise
  mov ebp, 0xf0000 + experiments
experiment:
  cmp dword [ebp], 0
  je finish
  call run
  add ebp, EXPERIMENT
  jmp experiment
finish:
  ; What was recorded.
  mov esi, BUFFERS
  mov ecx, 0x60000 / 4
  xor ebx, ebx
sum:
  lodsd
  add ebx, eax
  rol ebx, 1
  loop sum
  mov eax, ebx
  call emit
  mov al, 0
  out 0xf4, al
  hlt

; config(address eax, value ebx)
config:
  mov dx, 0xcf8
  out dx, eax
  mov dx, 0xcfc
  mov eax, ebx
  out dx, eax
  ret

; emit(eax)
emit:
  push ecx
  mov ecx, 4
byte_:
  out 0xe9, al
  shr eax, 8
  loop byte_
  pop ecx
  ret

; since() -> eax: nanoseconds since the experiment began
since:
  push edx
  rdtsc
  sub eax, [NOW]
  pop edx
  ret

; nam(register edx, value eax)
nam:
  add edx, NAM
  out dx, ax
  ret

struc E
  .duration resd 1
  .dac resw 1
  .adc resw 1
  .mic resw 1
  .master resw 1
  .pcm resw 1
  .gain resw 1
  .ext resw 1
  .middle_register resw 1
  .middle_value resw 1
  .voices resb 1
  .last resb 1
  .control resb 1
  .more resb 1
  .sleep resb 1
  .spare resb 1
  .lengths resd 1
endstruc
EXPERIMENT equ E_size

run:
  mov dword [SEEN], -1
  mov dword [SEEN + 8], -1
  mov dword [SEEN + 16], -1
  mov dword [DONE], 0
  mov dword [IRQS], 0
  movzx eax, byte [ebp + E.more]
  mov [LEFT], eax
  ; Channels as after power on, mixer too.
  mov ecx, 3
  mov edx, NABM + 0x0b
clear:
  mov al, 0
  out dx, al
  mov al, 2
  out dx, al
  add edx, 16
  loop clear
  xor edx, edx
  call nam
  mov ax, [ebp + E.ext]
  mov edx, 0x2a
  call nam
  mov ax, [ebp + E.dac]
  mov edx, 0x2c
  call nam
  mov ax, [ebp + E.adc]
  mov edx, 0x32
  call nam
  mov ax, [ebp + E.mic]
  mov edx, 0x34
  call nam
  mov ax, [ebp + E.master]
  mov edx, 0x02
  call nam
  mov ax, [ebp + E.pcm]
  mov edx, 0x18
  call nam
  mov ax, [ebp + E.gain]
  mov edx, 0x1c
  call nam
  ; Lists: lengths in turn.
  xor ebx, ebx
channel_list:
  mov edi, ebx
  shl edi, 8
  add edi, LIST
  mov edx, ebx
  shl edx, 17
  add edx, BUFFERS
  mov ecx, 32
  mov esi, [ebp + E.lengths]
entry_:
  mov [edi], edx
  mov eax, [esi]
  cmp eax, -1
  jne length_
  mov esi, [ebp + E.lengths]
  mov eax, [esi]
length_:
  add esi, 4
  mov [edi + 4], eax
  add edi, 8
  add edx, 0x1000
  loop entry_
  inc ebx
  cmp ebx, 3
  jb channel_list
  rdtsc
  mov [NOW], eax
  ; Start.
  xor ebx, ebx
start_channel:
  bt word [ebp + E.voices], bx
  jnc not_this
  mov edx, ebx
  shl edx, 4
  add edx, NABM
  mov eax, ebx
  shl eax, 8
  add eax, LIST
  out dx, eax
  add edx, 5
  mov al, [ebp + E.last]
  out dx, al
  add edx, 6
  mov al, [ebp + E.control]
  out dx, al
not_this:
  inc ebx
  cmp ebx, 3
  jb start_channel
poll:
  sti
  cmp byte [ebp + E.sleep], 0
  je busy
  hlt
busy:
  cli
  call since
  cmp eax, [ebp + E.duration]
  jae over
  shl eax, 1
  cmp eax, [ebp + E.duration]
  jb channels
  cmp dword [DONE], 0
  jne channels
  mov dword [DONE], 1
  call middle
channels:
  xor ebx, ebx
look:
  bt word [ebp + E.voices], bx
  jnc next_channel
  call look_at
next_channel:
  inc ebx
  cmp ebx, 3
  jb look
  jmp poll
over:
  mov ecx, 3
  mov edx, NABM + 0x0b
stop_:
  mov al, 0
  out dx, al
  add edx, 16
  loop stop_
  mov eax, [IRQS]
  call emit
  mov eax, 0x45454545
  jmp emit

; Sends the registers of channel ebx if they have changed, and goes on with the list when it has ended.
look_at:
  mov edx, ebx
  shl edx, 4
  add edx, NABM + 4
  in eax, dx
  mov esi, eax
  add edx, 4
  in eax, dx
  mov edi, eax
  cmp esi, [SEEN + ebx * 8]
  jne changed
  cmp edi, [SEEN + ebx * 8 + 4]
  je same
changed:
  mov [SEEN + ebx * 8], esi
  mov [SEEN + ebx * 8 + 4], edi
  mov eax, ebx
  or eax, 0x43480000
  call emit
  call since
  call emit
  mov eax, esi
  call emit
  mov eax, edi
  call emit
  mov edx, NABM + 0x30
  in eax, dx
  call emit
same:
  test esi, 0x10000
  jz still
  cmp dword [LEFT], 0
  je still
  dec dword [LEFT]
  mov edx, ebx
  shl edx, 4
  add edx, NABM + 6
  mov ax, 0x1c
  out dx, ax
  dec edx
  in al, dx
  add al, [ebp + E.last]
  and al, 31
  out dx, al
still:
  ret

; What an experiment does in its middle: a mixer register, or (0x8000) a byte port of the bus master.
middle:
  movzx edx, word [ebp + E.middle_register]
  mov ax, [ebp + E.middle_value]
  cmp edx, 0xffff
  je still
  test edx, 0x8000
  jz nam
  and edx, 0xff
  add edx, NABM
  out dx, al
  ret

handler:
  pushad
  inc dword [IRQS]
  mov eax, 0x49525100
  call emit
  call since
  call emit
  mov edx, NABM + 0x30
  in eax, dx
  call emit
  mov ecx, 3
  mov edx, NABM + 6
acknowledge:
  in ax, dx
  out 0xe9, al
  mov ax, 0x1c
  out dx, ax
  add edx, 16
  loop acknowledge
  mov al, 0x20
  out 0xa0, al
  out 0x20, al
  popad
  iretd

; The line went down before the processor asked which it was.
spurious:
  push eax
  mov al, 0x20
  out 0x20, al
  mov eax, 0x53505552
  call emit
  pop eax
  iretd

%macro port 2
  dw %1
  db %2
%endmacro
pics:
  port 0x20, 0x11
  port 0x21, 0x20
  port 0x21, 4
  port 0x21, 1
  port 0xa0, 0x11
  port 0xa1, 0x28
  port 0xa1, 2
  port 0xa1, 1
  port 0x21, 0xfb
  port 0xa1, 0xf7
  port 0x4d1, 0x08
pics_end:

%macro experiment 16
  dd %1
  dw %2, %3, %4, %5, %6, %7, %8, %9, %10
  db %11, %12, %13, %14, %15, 0
  dd 0xf0000 + %16
%endmacro
MS equ 1000000
NONE equ 0xffff
PI equ 1
PO equ 2
MC equ 4
times 0x600 - ($ - $$) db 0
experiments:
  ;          time, DAC, ADC and microphone rates, master, PCM, gain, extended control, what it writes in the middle, voices, LVI, CR, extensions, sleeps, lengths
  experiment 150 * MS, 48000, 48000, 48000, 0x0000, 0x0808, 0x8808, 9, NONE, 0, PO, 3, 0x1d, 2, 0, short_
  experiment 130 * MS, 44100, 44100, 44100, 0x1f00, 0x0008, 0x0808, 9, NONE, 0, PO, 2, 0x01, 3, 0, repeated
  experiment 130 * MS, 8000, 8000, 8000, 0x0000, 0x0000, 0x0808, 9, NONE, 0, PO + PI, 5, 0x11, 2, 0, short_
  experiment 130 * MS, 22050, 11025, 48000, 0x0102, 0x0304, 0x0808, 9, 0x2c, 32000, PO + PI + MC, 9, 0x15, 1, 0, short_
  experiment 130 * MS, 96, 65535, 12345, 0x0000, 0x0808, 0x0808, 9, 0x18, 0x1f00, PO + PI + MC, 30, 0x1d, 0, 0, odd
  experiment 120 * MS, 65535, 96, 7000, 0x0000, 0x0808, 0x080f, 9, 0x801b, 0, PO + PI + MC, 30, 0x1d, 1, 0, long_
  experiment 90 * MS, 40, 40, 0, 0x0000, 0x0808, 0x0808, 9, 0x2c, 44100, PO + PI + MC, 4, 0x1d, 1, 0, short_
  experiment 90 * MS, 30000, 20000, 10000, 0x0000, 0x0808, 0x0808, 0, 0x00, 0, PO + PI + MC, 4, 0x1d, 4, 0, empty
  experiment 120 * MS, 16000, 16000, 16000, 0x0000, 0x0000, 0x0808, 9, 0x801b, 2, PO + MC, 9, 0x1d, 1, 0, repeated
  experiment 250 * MS, 32000, 44100, 22050, 0x0000, 0x0808, 0x0808, 9, NONE, 0, PO + PI + MC, 9, 0x1d, 200, 1, short_
  dd 0
short_:
  dd 0x80000000 + 480, 0x80000000 + 1000, 2000, 0x80000000 + 64, -1
repeated:
  dd 0xc0000000 + 600, 0x40000000 + 700, 0xc0000000 + 2, -1
odd:
  dd 0x80000000 + 7, 1, 0x80000000 + 333, -1
long_:
  dd 0x80000000 + 2048, 2048, -1
empty:
  dd 0x80000000 + 500, 0, 0x80000000, 300, -1
