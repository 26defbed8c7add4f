export declare const installed: string
export declare const runners: readonly string[]
export declare function writeSuite(
  project: string,
  runner: string,
  tests?: number,
): readonly string[]
