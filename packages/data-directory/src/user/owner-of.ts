import { statSync } from 'node:fs'

/** Who owns what is at a path; `null` if it cannot be told. */
export function ownerOf(path: string): { uid: number; gid: number } | null {
  try {
    const { uid, gid } = statSync(path)
    return { uid, gid }
  } catch {
    return null
  }
}
