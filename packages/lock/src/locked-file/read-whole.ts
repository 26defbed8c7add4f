import { read } from 'node:fs'
import { promisify } from 'node:util'
import { fileError } from '../errors.ts'

const readDescriptor = promisify(read)

/** The whole content of an open file as text, whatever the descriptor's position is. */
export async function readWhole(fd: number, path: string): Promise<string> {
  const chunks: Buffer[] = []
  try {
    for (let position = 0; ;) {
      const buffer = Buffer.allocUnsafe(65_536)
      const { bytesRead } = await readDescriptor(fd, { buffer, position })
      if (bytesRead === 0) return Buffer.concat(chunks).toString('utf8')
      chunks.push(buffer.subarray(0, bytesRead))
      position += bytesRead
    }
  } catch (error) {
    throw fileError(error, path, 'read')
  }
}
