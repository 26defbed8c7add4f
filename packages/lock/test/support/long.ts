/** Whether to run storms at their full length: `HOWDAH_TEST_LONG=1`. */
const long = process.env['HOWDAH_TEST_LONG'] === '1'

/** The second number, or the first one where tests are to be quick. */
export const unlessLong = (quick: number, full: number): number => (long ? full : quick)
