/** Registers and their bits (RTL8139C+ data sheet 1.6, section 6), under their names there. */

/** Multicast filter; the station address is at 0 to 5. */
export const MAR0 = 0x08;
/** Transmit status of descriptors 0 to 3; C+: dump of the tally counters. */
export const TSD0 = 0x10;
/** Transmit start address of descriptors 0 to 3; C+: transmit descriptors. */
export const TSAD0 = 0x20;
/** Start of the receive ring. */
export const RBSTART = 0x30;
/** Command. */
export const CR = 0x37;
/** Current address of packet read; off by 16. */
export const CAPR = 0x38;
/** Current buffer address. */
export const CBR = 0x3a;
/** Interrupt mask and status. */
export const IMR = 0x3c;
export const ISR = 0x3e;
/** Transmit and receive configuration. */
export const TCR = 0x40;
export const RCR = 0x44;
/** Timer count. */
export const TCTR = 0x48;
/** Missed packets. */
export const MPC = 0x4c;
/** EEPROM. */
export const CR9346 = 0x50;
export const CONFIG0 = 0x51;
export const CONFIG1 = 0x52;
/** Timer interrupt. */
export const TIMER_INT = 0x54;
/** Media status. */
export const MSR = 0x58;
export const CONFIG3 = 0x59;
export const CONFIG4 = 0x5a;
export const HLTCLK = 0x5b;
/** Multiple interrupt select. */
export const MULINT = 0x5c;
/** PCI revision. */
export const RERID = 0x5e;
/** Transmit status of all descriptors. */
export const TSAD = 0x60;
/** Basic mode control and status, advertisement, link partner's ability, expansion. */
export const BMCR = 0x62;
export const BMSR = 0x64;
export const ANAR = 0x66;
export const ANLPAR = 0x68;
export const ANER = 0x6a;
/** CS configuration. */
export const CSCR = 0x74;
export const CONFIG5 = 0xd8;
/** C+: transmit priority polling. */
export const TPPOLL = 0xd9;
/** C+: command. */
export const CPCR = 0xe0;
/** C+: interrupt mitigation, which QEMU's card does not have. */
export const INT_MITIGATE = 0xe2;
/** C+: receive descriptors. */
export const RDSAR_LOW = 0xe4;
export const RDSAR_HIGH = 0xe8;
/** C+: early transmit threshold. */
export const ETTHR = 0xec;

export const REVISION = 0x20;
/** TCR: RTL8139C+. */
export const HARDWARE_VERSION = 0x74800000;
export const SMALLEST_RING = 8192;

export const COMMAND_RESET = 0x10;
export const COMMAND_RX_ENABLE = 0x08;
export const COMMAND_TX_ENABLE = 0x04;
export const COMMAND_RX_EMPTY = 0x01;

export const CPLUS_RX_VLAN = 0x40;
export const CPLUS_RX_ENABLE = 0x02;
export const CPLUS_TX_ENABLE = 0x01;

export const INT_TIMEOUT = 0x4000;
export const INT_RX_OVERFLOW = 0x10;
export const INT_TX_OK = 0x04;
export const INT_RX_OK = 0x01;

export const TX_HOST_OWNS = 0x2000;
export const TX_UNDERRUN = 0x4000;
export const TX_OK = 0x8000;
export const TX_ABORTED = 0x40000000;
export const TX_LOOPBACK = 0x60000;

export const RX_MULTICAST = 0x8000;
export const RX_PHYSICAL = 0x4000;
export const RX_BROADCAST = 0x2000;
export const RX_OK = 0x0001;

export const ACCEPT_BROADCAST = 0x08;
export const ACCEPT_MULTICAST = 0x04;
export const ACCEPT_MINE = 0x02;
export const ACCEPT_ALL = 0x01;
/** RCR: a frame that reaches over the end of the ring is not wrapped. */
export const RX_NO_WRAP = 0x80;
