/** pg_dump as Emscripten has compiled it. The build takes it from @electric-sql/pglite-tools. */
declare module 'pg-dump-factory' {
  export interface PgDump {
    readonly ENV: Record<string, string>
    readonly HEAPU8: Uint8Array
    onRuntimeInitialized: () => void
    /** Makes a file in its file system, in memory. */
    FS_createDataFile(
      parent: string,
      name: string,
      data: Uint8Array,
      canRead: boolean,
      canWrite: boolean,
    ): void
    addFunction(action: (at: number, size: number) => number, signature: 'iii'): number
    /** Sets the functions that replace recv(2) and send(2). */
    _pgl_set_rw_cbs(read: number, write: number): void
    /** Runs it, and gives its exit status. */
    callMain(args: string[]): number
  }

  export function createPgDump(options: {
    /** Its own path, `argv[0]`. */
    thisProgram: string
    noExitRuntime: boolean
    /** Makes the instance instead of it, and gives it what it exports. */
    instantiateWasm: (
      imports: WebAssembly.Imports,
      receive: (instance: WebAssembly.Instance, program: WebAssembly.Module) => void,
    ) => WebAssembly.Exports
    /** A byte of its standard output, or `null`. */
    stdout: (byte: number | null) => void
    printErr: (line: string) => void
    preRun: ((instance: PgDump) => void)[]
  }): Promise<PgDump>
}

/** What Node's types lack. */
declare namespace WebAssembly {
  interface Imports {}
  interface Exports {}
  interface Module {}
  interface Instance {
    readonly exports: Exports
  }
  const Instance: new (program: Module, imports: Imports) => Instance
  function compile(bytes: Uint8Array): Promise<Module>
}
