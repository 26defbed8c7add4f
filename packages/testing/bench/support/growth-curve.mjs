const width = 640
const height = 240
const edge = { left: 48, right: 12, top: 28, bottom: 36 }

/** A picture, as SVG: the mean cost of a test, over how many tests have run before it. */
export function growthCurve(workers) {
  const count = Math.min(...workers.map((times) => times.length))
  const size = Math.max(1, Math.floor(count / 25))
  const points = []
  for (let from = 0; from + size <= count; from += size) {
    const slice = workers.flatMap((times) => times.slice(from, from + size))
    const mean = slice.reduce((sum, one) => sum + one, 0) / slice.length
    points.push([(from + size / 2) * workers.length, mean])
  }
  const most = Math.max(...points.map(([, y]) => y)) * 1.2
  const tests = count * workers.length
  const x = (n) => edge.left + (n / tests) * (width - edge.left - edge.right)
  const y = (n) => height - edge.bottom - (n / most) * (height - edge.top - edge.bottom)
  const path = points.map(([n, t], at) => `${at ? 'L' : 'M'}${x(n).toFixed(1)} ${y(t).toFixed(1)}`)
  const grid = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const at = y(share * most).toFixed(1)
    return `<line x1="${edge.left}" x2="${width - edge.right}" y1="${at}" y2="${at}" stroke="#ddd"/>
<text x="${edge.left - 6}" y="${Number(at) + 4}" text-anchor="end">${Math.round(share * most)}</text>`
  })
  const labels = [0, 0.25, 0.5, 0.75, 1].map(
    (share) =>
      `<text x="${x(share * tests).toFixed(1)}" y="${height - edge.bottom + 18}" text-anchor="middle">${Math.round(share * tests)}</text>`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11" fill="#444">
<rect width="${width}" height="${height}" fill="#fff"/>
<text x="${edge.left}" y="16" font-size="13">ms for each test in each of ${workers.length} workers, after so many tests</text>
${grid.join('\n')}
${labels.join('\n')}
<path d="${path.join(' ')}" fill="none" stroke="#336791" stroke-width="2"/>
</svg>
`
}
