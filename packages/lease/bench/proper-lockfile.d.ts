/** What the benchmark uses of it; it brings no types. */
declare module 'proper-lockfile' {
  const lockfile: { lock(path: string): Promise<() => Promise<void>> }
  export default lockfile
}
