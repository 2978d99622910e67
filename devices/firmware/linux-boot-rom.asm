; Option ROM that starts Linux from what the firmware configuration holds (kernel, initrd, command line), for firmware that runs option ROMs from there.
; Boot protocol: Linux, Documentation/arch/x86/boot.rst, "The real-mode kernel header", "Running the kernel".
; Build: nasm -f bin   (tools/build-guest.ts puts the result into linux-boot-rom-image.ts)

bits 16
org 0

; keys of the firmware configuration
KERNEL_ADDR  equ 0x07
KERNEL_SIZE  equ 0x08
INITRD_ADDR  equ 0x0a
INITRD_SIZE  equ 0x0b
KERNEL_DATA  equ 0x11
INITRD_DATA  equ 0x12
CMDLINE_ADDR equ 0x13
CMDLINE_SIZE equ 0x14
CMDLINE_DATA equ 0x15
SETUP_ADDR   equ 0x16
SETUP_SIZE   equ 0x17
SETUP_DATA   equ 0x18
DMA_SELECT_READ equ 0x0a
DMA_PORT_LOW equ 0x518

; fields of the real-mode kernel header
HDR_VERSION  equ 0x206
HDR_RAMDISK  equ 0x218
HDR_RD_MAX   equ 0x22c
OLD_RD_MAX   equ 0x37ffffff         ; kernels whose header has no such field
ROM_BYTES    equ 1536                 ; as many as QEMU's, for Linux lists it

  dw 0xaa55
  db ROM_BYTES / 512
  retf                              ; nothing to initialise
  times 0x1a - ($ - $$) db 0
  dw pnp

; Plug and Play BIOS specification 1.0a, section 3.2: expansion header with a bootstrap entry vector
pnp:
  db '$PnP', 1, (pnp_end - pnp) / 16
  dw 0
  db 0, 0
  dd 0
  dw maker, product
  dd 0
  dw 0, 0, boot, 0, 0
pnp_end:
maker:   db 'palindrome', 0
product: db 'Linux loader', 0

; Own data, at the top of the stack: a descriptor of the DMA interface, then what has been asked
struc frame
  .control: resd 1
  .length:  resd 1
  .high:    resd 1
  .low:     resd 1
  .value:   resd 1
  .setup:   resd 1
  .initrd:  resd 1
  .initrd_size: resd 1
  .cmdline: resd 1
endstruc

; Reads item %1 into eax
%macro ASK 1
  mov al, %1
  call ask
%endmacro

boot:
  cli
  cld
  sub sp, frame_size
  mov bp, sp
  xor esi, esi                      ; esi: linear address of the frame
  mov si, ss
  shl esi, 4
  movzx eax, sp
  add esi, eax

  ASK SETUP_ADDR
  mov [bp + frame.setup], eax
  mov edi, eax
  ASK SETUP_SIZE
  mov ecx, eax
  mov al, SETUP_DATA
  call fetch
  mov eax, [bp + frame.setup]
  shr eax, 4
  mov es, ax                        ; es: the real-mode kernel

  ASK INITRD_ADDR
  mov [bp + frame.initrd], eax
  ASK INITRD_SIZE
  mov [bp + frame.initrd_size], eax
  cmp word [es:HDR_VERSION], 0x203
  jae has_limit
  mov dword [es:HDR_RD_MAX], OLD_RD_MAX
has_limit:
  ; A RAM disk meant for the end of memory goes below what firmware keeps there for itself
  add eax, [bp + frame.initrd]
  and eax, -4096
  jz place_known
  mov edx, [es:HDR_RD_MAX]
  and edx, -4096
  jz place_known
  cmp eax, edx
  je place_known
  call memory_end
  sub eax, [bp + frame.initrd_size]
  and eax, -4096
  mov [bp + frame.initrd], eax
  mov [es:HDR_RAMDISK], eax
place_known:
  mov edi, [bp + frame.initrd]
  mov ecx, [bp + frame.initrd_size]
  mov al, INITRD_DATA
  call fetch

  ASK KERNEL_ADDR
  mov edi, eax
  ASK KERNEL_SIZE
  mov ecx, eax
  mov al, KERNEL_DATA
  call fetch

  ASK CMDLINE_ADDR
  mov [bp + frame.cmdline], eax
  mov edi, eax
  ASK CMDLINE_SIZE
  mov ecx, eax
  mov al, CMDLINE_DATA
  call fetch

  ; The kernel's segment everywhere, its heap below the command line, and in at its second sector
  mov ebx, [bp + frame.cmdline]
  mov eax, [bp + frame.setup]
  sub ebx, eax
  sub ebx, 16
  shr eax, 4
  mov ds, ax
  mov es, ax
  mov fs, ax
  mov gs, ax
  mov ss, ax
  mov esp, ebx
  add ax, 0x20
  push ax
  push word 0
  xor ebx, ebx
  xor ecx, ecx
  xor edx, edx
  xor esi, esi
  xor edi, edi
  xor ebp, ebp
  retf

; eax = the 32-bit item whose key is in al
ask:
  push edi
  mov ecx, 4
  lea edi, [esi + frame.value]
  call fetch
  mov eax, [bp + frame.value]
  pop edi
  ret

; Copies ecx bytes of the item whose key is in al to linear address edi
fetch:
  movzx eax, al
  shl eax, 16
  mov al, DMA_SELECT_READ
  bswap eax
  mov [bp + frame.control], eax
  bswap ecx
  mov [bp + frame.length], ecx
  mov dword [bp + frame.high], 0
  bswap edi
  mov [bp + frame.low], edi
  mov eax, esi
  bswap eax
  mov dx, DMA_PORT_LOW
  out dx, eax
wait_for_it:
  test dword [bp + frame.control], 0xfeffffff   ; all but the error bit, seen big-endian
  jnz wait_for_it
  ret

; eax = end of the memory below 4 GiB that firmware leaves to others: INT 15h, AX=E801h
memory_end:
  mov eax, 0xe801
  xor ebx, ebx
  xor ecx, ecx
  xor edx, edx
  push esi
  push bp
  push es
  int 0x15
  pop es
  pop bp
  pop esi
  test cx, cx
  jnz have_sizes
  test dx, dx
  jnz have_sizes
  mov cx, ax
  mov dx, bx
have_sizes:
  test dx, dx
  jz below_16m
  movzx eax, dx                     ; 64 KiB units above 16 MiB
  add eax, 256
  shl eax, 16
  ret
below_16m:
  movzx eax, cx                     ; KiB above 1 MiB
  add eax, 1024
  shl eax, 10
  ret

times ROM_BYTES - 1 - ($ - $$) db 0
  db 0                              ; the loader makes the sum of all bytes zero
