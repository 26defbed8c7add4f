export declare const suites: Readonly<Record<string, unknown>>
export declare function writeSuite(
  project: string,
  runner: string,
  tests?: number,
): readonly string[]
