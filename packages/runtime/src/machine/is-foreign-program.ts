import { openPlainFile } from '@howdah/durable'

/** The `e_machine` of ELF headers (elf(5)), by Node's names of architectures. */
const machines: Readonly<Record<string, number>> = {
  ia32: 3,
  ppc64: 21,
  s390x: 22,
  arm: 40,
  x64: 62,
  arm64: 183,
  riscv64: 243,
  loong64: 258,
}

/**
 * Whether a program was built for another system or processor.
 *
 * Ask this before running a program: execvp(3) gives a program that the kernel does not know to a shell, as a script. Scripts
 * are never foreign.
 */
export async function isForeignProgram(path: string): Promise<boolean> {
  const file = await openPlainFile(path)
  try {
    const header = Buffer.alloc(20)
    const { bytesRead } = await file.read(header, 0, header.length, 0)
    if (header.toString('latin1', 0, 2) === '#!') return false
    if (process.platform === 'darwin') {
      // A Mach-O program of 64 bits, or a fat one for several processors (mach-o/loader.h, mach-o/fat.h).
      return ![0xcffaedfe, 0xcafebabe, 0xcafebabf].includes(header.readUInt32BE(0))
    }
    if (bytesRead < header.length || header.toString('latin1', 0, 4) !== '\u007fELF') return true
    const machine = header[5] === 2 ? header.readUInt16BE(18) : header.readUInt16LE(18)
    return machine !== (machines[process.arch] ?? machine)
  } finally {
    await file.close()
  }
}
