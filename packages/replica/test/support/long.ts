/** Whether to run the long tests at full count, with `HOWDAH_TEST_LONG=1`; else at a small one. */
const long = process.env['HOWDAH_TEST_LONG'] === '1'

/** How often to do something. */
export function times(short: number, full: number): number {
  return long ? full : short
}
