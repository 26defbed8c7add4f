import { readFile, realpath } from 'node:fs/promises'

/** The mount point of a path, if it is mounted noexec; otherwise `null`. Linux only. */
export async function noexecMount(path: string): Promise<string | null> {
  const real = await realpath(path).catch(() => path)
  const text = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '')
  let nearest: { readonly point: string; readonly options: string } | null = null
  for (const line of text.split('\n')) {
    // proc_pid_mountinfo(5): the fifth field is the mount point, the sixth its options.
    const [, , , , point, options] = line.split(' ')
    if (point === undefined || options === undefined) continue
    const place = unescape(point)
    const isAbove = place === '/' || real === place || real.startsWith(`${place}/`)
    // If several are mounted at one point, the last one is on top.
    if (isAbove && place.length >= (nearest?.point.length ?? 0)) nearest = { point: place, options }
  }
  return nearest?.options.split(',').includes('noexec') === true ? nearest.point : null
}

/** Blanks and the like are written as `\040`. */
function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  )
}
