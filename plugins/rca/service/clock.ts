const iso = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$/

/** `2026-01-31 12:00:05 UTC`: what a person reads faster than ISO 8601; on the day named, the hour alone. */
export const clock = (time: string, onDay = ''): string => {
  const [, day, hour] = iso.exec(time) ?? []
  if (day === undefined || hour === undefined) return time
  return onDay.startsWith(day) ? hour : `${day} ${hour} UTC`
}
