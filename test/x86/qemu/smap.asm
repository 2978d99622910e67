; Every kind of access to every kind of page, under CR4.SMEP and SMAP (where the processor has them), CR0.WP and EFLAGS.AC, with 32-bit paging,
; its large pages and PAE with no-execute. For each: what came of it (vector and error code of a fault), CR2 and the accessed and dirty bits.
%include "judge.inc"
%define DIRECTORY 0x14000
%define TABLE0 0x15000      ; identity map of the first 4 MiB, supervisor pages
%define TABLE1 0x16000      ; 4 MiB on: test page, user code, user stack
%define PDPT 0x18000
%define PAE_DIRECTORY 0x19000
%define PAE_TABLE0 0x1a000  ; 2 MiB; the APIC is not needed
%define PAE_TABLE2 0x1b000  ; 4 MiB on
%define TEST_PHYSICAL 0x800000  ; aligned for the largest page
%define SMALL 0x400000
%define LARGE 0xc00000
%define USER_BASE 0x401000
%define USER_STACK 0x403000
%define LINEAR 0x700        ; of the test page
%define ENTRY 0x704         ; address of its entry
%define NX 0x708            ; address of the doubleword with its no-execute bit, 0: none
%define BITS 0x70c          ; of the entry, but for P, RW, US
%define CR4_VALUE 0x710
%define AC_VALUE 0x714
%define KIND 0x718          ; RW, US, and bit 31 for NX
%define WP_VALUE 0x71c
%define LDT_SELECTOR DATA16

main:
  ; what the processor has of SMEP (CR4 bit 20), SMAP (21), NX. CPUID is another guest's matter: the model with MONITOR is the one with SMAP
  mov ecx, 0x1a0
  rdmsr
  and eax, 0x40000
  jz .max
  mov eax, 0x300000
.max:
  mov [0x730], eax
  call out32
  mov ecx, 0xc0000080
  rdmsr
  or eax, 0x800
  wrmsr
  rdmsr
  and eax, 0x800
  mov [0x734], eax
  call out32
  xor eax, eax
  wrmsr
  call tables
  ; the user's code, and what the test page holds: descriptors, and code
  mov esi, ROM + user_code
  mov edi, 0x201000
  mov ecx, user_code_end - user_code
  rep movsb
  mov edi, TEST_PHYSICAL
  mov dword [edi], 0x0000ffff
  mov dword [edi + 4], 0x00cff300     ; data, accessed
  mov dword [edi + 8], 0x0000ffff
  mov dword [edi + 12], 0x00cff200    ; data, not accessed
  mov byte [edi + 0x10], 0xc3         ; ret
  mov word [edi + 0x20], 0x80cd       ; int 0x80
  mov dword [EVENT_HANDLER], ROM + event

  OUTB 'A'                  ; 32-bit paging, a small page
  mov dword [LINEAR], SMALL
  mov dword [ENTRY], TABLE1
  mov dword [NX], 0
  mov dword [BITS], TEST_PHYSICAL
  mov eax, DIRECTORY
  mov cr3, eax
  mov ebx, 0x10
  call configurations
  OUTB 'B'                  ; 32-bit paging, a large page
  mov dword [LINEAR], LARGE
  mov dword [ENTRY], DIRECTORY + 12
  mov dword [BITS], TEST_PHYSICAL | 0x80
  mov ebx, 0x10
  call configurations
  OUTB 'C'                  ; PAE, a small page
  cmp dword [0x734], 0
  je .no_nx
  mov ecx, 0xc0000080
  rdmsr
  or eax, 0x800
  wrmsr
.no_nx:
  mov eax, PDPT
  mov cr3, eax
  mov dword [LINEAR], SMALL
  mov dword [ENTRY], PAE_TABLE2
  mov dword [NX], PAE_TABLE2 + 4
  mov dword [BITS], TEST_PHYSICAL
  mov ebx, 0x20
  call configurations
  OUTB 'D'                  ; PAE, a large page
  mov dword [LINEAR], LARGE
  mov dword [ENTRY], PAE_DIRECTORY + 6 * 8
  mov dword [NX], PAE_DIRECTORY + 6 * 8 + 4
  mov dword [BITS], TEST_PHYSICAL | 0x80
  mov ebx, 0x20
  call configurations
  OUTB 'E'                  ; STAC, CLAC and their checks
  call alignment
  jmp finish

; All settings of CR4 (over EBX), WP and AC, and all kinds of page.
configurations:
  mov dword [CR4_VALUE], 0
.cr4:
  mov eax, [CR4_VALUE]
  mov ecx, eax
  and ecx, [0x730]
  cmp ecx, eax
  jne .next_cr4
  mov dword [WP_VALUE], 0
.wp:
  mov dword [AC_VALUE], 0
.ac:
  mov dword [KIND], 0
.kind:
  call accesses
  ; kinds: RW and US by bits 1 and 2, then the same with NX
  mov eax, [KIND]
  add eax, 2
  test eax, 8
  jz .store
  btr eax, 3
  btc eax, 31
  jnc .store
  mov eax, 0xffffffff
.store:
  mov [KIND], eax
  cmp eax, 0xffffffff
  je .kinds_done
  test eax, eax
  jns .kind
  cmp dword [NX], 0
  je .kinds_done
  cmp dword [0x734], 0
  jne .kind
.kinds_done:
  xor dword [AC_VALUE], 0x40000
  jnz .ac
  xor dword [WP_VALUE], 0x10000
  jnz .wp
.next_cr4:
  add dword [CR4_VALUE], 0x100000
  cmp dword [CR4_VALUE], 0x400000
  jb .cr4
  ret

accesses:
  xor edi, edi
.next:
  call access
  inc edi
  cmp edi, (kinds_of_access_end - kinds_of_access) / 4
  jb .next
  ret

; Access number EDI.
access:
  ; the page, with clean bits
  mov ecx, [KIND]
  mov eax, ecx
  and eax, 6
  or eax, 1
  or eax, [BITS]
  mov edx, [ENTRY]
  mov [edx], eax
  mov edx, [NX]
  test edx, edx
  jz .no_nx
  and ecx, 0x80000000
  mov [edx], ecx
.no_nx:
  ; LDT in the test page
  mov eax, [LINEAR]
  mov word [GDT + LDT_SELECTOR], 0xfff
  mov [GDT + LDT_SELECTOR + 2], ax
  shr eax, 16
  mov [GDT + LDT_SELECTOR + 4], al
  mov byte [GDT + LDT_SELECTOR + 5], 0x82
  mov byte [GDT + LDT_SELECTOR + 6], 0
  mov [GDT + LDT_SELECTOR + 7], ah
  mov eax, [CR4_VALUE]
  or eax, ebx
  mov cr4, eax
  mov ax, LDT_SELECTOR
  lldt ax
  push ebx
  push edi
  mov [RESUME_ESP], esp
  mov eax, cr0
  and eax, 0x7ffeffff
  or eax, [WP_VALUE]
  or eax, 0x80000000
  mov cr0, eax
  push dword 2
  mov eax, [AC_VALUE]
  or [esp], eax
  popfd
  mov ebx, [LINEAR]
  jmp [ROM + kinds_of_access + edi * 4]

kinds_of_access:
  dd ROM + kernel_read, ROM + kernel_write, ROM + kernel_modify, ROM + kernel_execute, ROM + kernel_descriptor, ROM + kernel_descriptor_write
  dd ROM + user_read, ROM + user_write, ROM + user_execute, ROM + user_descriptor, ROM + user_descriptor_write
kinds_of_access_end:
kernel_read:
  mov al, [ebx + 0x40]
  int 0x80
kernel_write:
  mov [ebx + 0x40], al
  int 0x80
kernel_modify:
  inc byte [ebx + 0x40]
  int 0x80
kernel_execute:
  add ebx, 0x10
  call ebx
  int 0x80
kernel_descriptor:
  mov ax, 7
  mov fs, ax
  int 0x80
kernel_descriptor_write:
  mov ax, 15
  mov fs, ax
  int 0x80
user_read:
  mov ecx, USER_BASE + user_read_code - user_code
  jmp to_user
user_write:
  mov ecx, USER_BASE + user_write_code - user_code
  jmp to_user
user_execute:
  mov ecx, ebx
  add ecx, 0x20
  jmp to_user
user_descriptor:
  mov ecx, USER_BASE + user_descriptor_code - user_code
  jmp to_user
user_descriptor_write:
  mov ecx, USER_BASE + user_descriptor_write_code - user_code
to_user:
  push dword USER_DATA
  push dword USER_STACK
  pushfd
  push dword USER_CODE
  push ecx
  iretd

user_code:
user_read_code:
  mov al, [cs:ebx + 0x40]
  int 0x80
user_write_code:
  mov [ss:ebx + 0x40], al
  int 0x80
user_descriptor_code:
  mov ax, 7
  mov fs, ax
  int 0x80
user_descriptor_write_code:
  mov ax, 15
  mov fs, ax
  int 0x80
user_code_end:

; Any event: says vector, error code, what CR2 and the entry are, and goes on with the next access.
event:
  mov cx, DATA32
  mov ds, cx
  mov es, cx
  pop eax
  out 0xe9, al
  pop eax
  out 0xe9, al
  xor ecx, ecx
  mov fs, cx
  mov eax, cr2
  out 0xe9, al
  rol eax, 12
  out 0xe9, al
  xor eax, eax
  mov cr2, eax
  mov eax, cr0
  and eax, 0x7ffeffff
  mov cr0, eax
  xor eax, eax
  mov cr4, eax
  mov eax, [ENTRY]
  mov al, [eax]
  out 0xe9, al
  ; the descriptor that was not accessed
  mov al, [TEST_PHYSICAL + 13]
  out 0xe9, al
  mov byte [TEST_PHYSICAL + 13], 0xf2
  mov esp, [RESUME_ESP]
  pop edi
  pop ebx
  ret

tables:
  mov edi, DIRECTORY
  mov ecx, 0x8000 / 4
  xor eax, eax
  rep stosd
  mov dword [DIRECTORY], TABLE0 | 3
  mov dword [DIRECTORY + 4], TABLE1 | 7
  mov edi, TABLE0
  mov eax, 3
  mov ecx, 1024
.identity:
  stosd
  add eax, 0x1000
  loop .identity
  mov dword [TABLE1 + 4], 0x201000 | 7
  mov dword [TABLE1 + 8], 0x202000 | 7
  mov dword [PDPT], PAE_DIRECTORY | 1
  mov dword [PAE_DIRECTORY], PAE_TABLE0 | 3
  mov dword [PAE_DIRECTORY + 16], PAE_TABLE2 | 7
  mov edi, PAE_TABLE0
  mov eax, 3
  mov ecx, 512
.pae:
  stosd
  mov dword [edi], 0
  add edi, 4
  add eax, 0x1000
  loop .pae
  mov dword [PAE_TABLE2 + 8], 0x201000 | 7
  mov dword [PAE_TABLE2 + 16], 0x202000 | 7
  ret

; STAC and CLAC in CPL 0, with and without SMAP in CR4, and in CPL 3.
alignment:
  mov dword [EVENT_HANDLER], 0
  mov ebp, 2
.again:
  RECOVER .cleared
  clc
  stac
  pushfd
  pop eax
  call out32
  clac
  pushfd
  pop eax
  call out32
.cleared:
  test dword [0x730], 0x200000
  jz .user
  mov eax, 0x200000
  mov cr4, eax
  dec ebp
  jnz .again
.user:
  mov dword [EVENT_HANDLER], 0
  mov dword [RESUME], ROM + .last
  mov [RESUME_ESP], esp
  push dword USER_DATA
  push dword 0x78000
  push dword 2
  push dword USER_CODE
  push dword ROM + .stac
  iretd
.stac:
  stac
  int 0x80
.last:
  ret
%include "judge-end.inc"
