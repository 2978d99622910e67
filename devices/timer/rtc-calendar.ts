import { type CivilTime, civilFromSeconds, secondsFromCivil } from './civil-time.js';

/** Register numbers of the MC146818's time and of the PC's century bytes. */
export const SECONDS = 0;
export const SECONDS_ALARM = 1;
export const MINUTES = 2;
export const MINUTES_ALARM = 3;
export const HOURS = 4;
export const HOURS_ALARM = 5;
export const DAY_OF_WEEK = 6;
export const DAY_OF_MONTH = 7;
export const MONTH = 8;
export const YEAR = 9;
export const REG_A = 10;
export const REG_B = 11;
export const REG_C = 12;
export const REG_D = 13;
export const CENTURY = 0x32;
/** The PS/2's place of the century; an alias of CENTURY here. */
export const PS2_CENTURY = 0x37;

/** Register B: binary data mode, 24-hour mode. */
const REG_B_DM = 0x04;
const REG_B_24H = 0x02;
/** Hours registers in 12-hour mode. */
const PM = 0x80;

/** What an alarm register with its two top bits set holds: any value. */
const ANY = -1;

/** Value of a time register, ANY when it is "don't care". */
function decode(cmos: Uint8Array, register: number, mask = 0xff): number {
  const value = cmos[register]! & mask;
  if ((value & 0xc0) === 0xc0) return ANY;
  return cmos[REG_B]! & REG_B_DM ? value : (value >> 4) * 10 + (value & 0x0f);
}

function encode(cmos: Uint8Array, register: number, value: number): void {
  cmos[register] = cmos[REG_B]! & REG_B_DM ? value : (Math.trunc(value / 10) << 4) | (value % 10);
}

/** Writes a time into the registers, in the format that register B selects. */
export function storeTime(cmos: Uint8Array, seconds: number): void {
  const time = civilFromSeconds(seconds);
  encode(cmos, SECONDS, time.second);
  encode(cmos, MINUTES, time.minute);
  if (cmos[REG_B]! & REG_B_24H) encode(cmos, HOURS, time.hour);
  else {
    encode(cmos, HOURS, time.hour % 12 === 0 ? 12 : time.hour % 12);
    if (time.hour >= 12) cmos[HOURS]! |= PM;
  }
  encode(cmos, DAY_OF_WEEK, time.weekday + 1);
  encode(cmos, DAY_OF_MONTH, time.day);
  encode(cmos, MONTH, time.month);
  encode(cmos, YEAR, time.year % 100);
  encode(cmos, CENTURY, Math.trunc(time.year / 100));
}

/** Seconds since 1970 of what the registers hold. */
export function loadTime(cmos: Uint8Array): number {
  let hour = decode(cmos, HOURS, 0x7f);
  if ((cmos[REG_B]! & REG_B_24H) === 0) hour = (hour % 12) + (cmos[HOURS]! & PM ? 12 : 0);
  const time: CivilTime = {
    year: decode(cmos, YEAR) + decode(cmos, CENTURY) * 100,
    month: decode(cmos, MONTH),
    day: decode(cmos, DAY_OF_MONTH),
    weekday: 0,
    hour,
    minute: decode(cmos, MINUTES),
    second: decode(cmos, SECONDS),
  };
  return secondsFromCivil(time);
}

/** Hours as 0-23; the PM flag looked at is that of the current hour, as in QEMU. */
function hours24(cmos: Uint8Array, hour: number): number {
  const value = hour & 0xff;
  if (cmos[REG_B]! & REG_B_24H) return value;
  return (value % 12) + (cmos[HOURS]! & PM ? 12 : 0);
}

interface ClockTime {
  hour: number;
  minute: number;
  second: number;
}

/** Fills the "don't care" fields left of a fixed one with the current time, stepping the right one of them when that time has passed. */
function resolveThisHour(alarm: ClockTime, now: ClockTime, anyHour: boolean): void {
  const anyMinute = alarm.minute === ANY;
  if (anyMinute) alarm.minute = now.minute;
  if (alarm.minute !== now.minute) {
    if (anyHour && now.minute > alarm.minute) alarm.hour++;
    return;
  }
  if (alarm.second === ANY) alarm.second = now.second + 1;
  else if (now.second > alarm.second) {
    if (anyMinute) alarm.minute++;
    else if (anyHour) alarm.hour++;
  }
  if (anyHour && anyMinute) return;
  if (!anyHour && !anyMinute) {
    // The same minute of the next day.
    alarm.second %= 60;
    return;
  }
  if (alarm.second === 60) {
    alarm.second = 0;
    if (anyHour) alarm.hour++;
    else alarm.minute++;
  }
  if (anyMinute) alarm.minute %= 60;
}

/**
 * Seconds (1 to 86400) from the time in the registers to the next one that matches the alarm registers. A "don't care" field right of a fixed
 * one that is not current is 0.
 */
export function secondsToAlarm(cmos: Uint8Array): number {
  const now: ClockTime = { hour: hours24(cmos, decode(cmos, HOURS)), minute: decode(cmos, MINUTES), second: decode(cmos, SECONDS) };
  const alarm: ClockTime = { hour: decode(cmos, HOURS_ALARM), minute: decode(cmos, MINUTES_ALARM), second: decode(cmos, SECONDS_ALARM) };
  const anyHour = alarm.hour === ANY;
  alarm.hour = anyHour ? now.hour : hours24(cmos, alarm.hour);
  if (alarm.hour === now.hour) resolveThisHour(alarm, now, anyHour);
  if (alarm.minute === ANY) alarm.minute = 0;
  if (alarm.second === ANY) alarm.second = 0;
  if (alarm.second === 60) {
    alarm.second = 0;
    alarm.minute++;
  }
  if (alarm.minute === 60) {
    alarm.minute = 0;
    alarm.hour++;
  }
  const seconds = ((alarm.hour % 24) - now.hour) * 3600 + (alarm.minute - now.minute) * 60 + alarm.second - now.second;
  return seconds <= 0 ? seconds + 86400 : seconds;
}
