/** The second number, or the first one where tests are to be quick, which they are without `HOWDAH_TEST_LONG=1`. */
export const unlessLong = (quick: number, full: number): number =>
  process.env['HOWDAH_TEST_LONG'] === '1' ? full : quick
