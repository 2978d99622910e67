/** A date and time of the proleptic Gregorian calendar, UTC. Month 1-12, weekday 0 (Sunday) to 6. */
export interface CivilTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

const SECONDS_PER_DAY = 86400;
const DAYS_PER_400_YEARS = 146097;
/** Days from 1 March of year 0 to 1 January 1970. */
const EPOCH_DAYS = 719468;

/** Calendar of a count of seconds since 1970. */
export function civilFromSeconds(seconds: number): CivilTime {
  const days = Math.floor(seconds / SECONDS_PER_DAY);
  const ofDay = seconds - days * SECONDS_PER_DAY;
  const shifted = days + EPOCH_DAYS;
  const era = Math.floor(shifted / DAYS_PER_400_YEARS);
  const dayOfEra = shifted - era * DAYS_PER_400_YEARS;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  // Years that start in March: month 0 is March.
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1,
    weekday: (((days + 4) % 7) + 7) % 7,
    hour: Math.floor(ofDay / 3600),
    minute: Math.floor(ofDay / 60) % 60,
    second: ofDay % 60,
  };
}

/**
 * Seconds since 1970 of a calendar date. Fields out of range (an RTC holds what the guest wrote) count on linearly; a month below 3 belongs to
 * the year before, divisions round towards zero, as QEMU's board does it.
 */
export function secondsFromCivil(time: CivilTime): number {
  const early = time.month < 3;
  const month = early ? time.month + 12 : time.month;
  const year = early ? time.year - 1 : time.year;
  const yearDays = 365 * year + Math.trunc(year / 4) - Math.trunc(year / 100) + Math.trunc(year / 400);
  const days = time.day + Math.trunc((153 * month - 457) / 5) + yearDays - 719469;
  return days * SECONDS_PER_DAY + time.hour * 3600 + time.minute * 60 + time.second;
}
