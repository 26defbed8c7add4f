import {
  LtxDecoder,
  LtxError,
  type ByteSource,
  type LtxErrorCode,
  type LtxPage,
  type LtxSummary,
} from '../../src/index.ts'

/** Everything that a file says. */
export interface WholeFile extends LtxSummary {
  readonly content: readonly Omit<LtxPage, 'block'>[]
}

/** Reads a whole file. */
export async function read(source: ByteSource): Promise<WholeFile> {
  await using decoder = await LtxDecoder.open(source)
  const content: Omit<LtxPage, 'block'>[] = []
  for await (const { number, data, offset, size, encoding } of decoder.pages()) {
    content.push({ number, data, offset, size, encoding })
  }
  return { ...(await decoder.finish()), content }
}

/** The code and the offset of the error that something ends with. */
export async function refusal(
  run: Promise<unknown>,
): Promise<{ code: LtxErrorCode; offset: number | undefined }> {
  try {
    await run
  } catch (error) {
    if (error instanceof LtxError) return { code: error.code, offset: error.offset }
    throw error
  }
  throw new Error('it was not refused')
}

/** All chunks together. */
export async function gather(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all = []
  for await (const chunk of chunks) all.push(chunk)
  return Buffer.concat(all)
}
