/**
 * Small plots over time, drawn as SVG, each with a table of the same numbers. A library would be larger than the whole page.
 *
 * @module
 */

import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { formatMinute, formatNumber } from '../format.js'

export interface Series {
  readonly name: string
  /** One for each moment; `undefined`: not known. */
  readonly values: readonly (number | undefined)[]
}

interface PlotProps {
  readonly title: string
  /** Ends of minutes, oldest first. */
  readonly moments: readonly Date[]
  readonly series: readonly Series[]
  /** `bars`: counts of each span, stacked. `lines`: states at each moment. */
  readonly kind: 'bars' | 'lines'
  /** Written behind a value, such as `ms`. */
  readonly unit?: string
  /** Colour of the first series: 0 is good, 1 bad, 2 neither. The next ones follow. */
  readonly firstColour?: number
  /** What is said when nothing is above zero. */
  readonly empty: string
}

const width = 600
const height = 120

export function Plot({ title, moments, series, kind, unit = '', firstColour = 0, empty }: PlotProps): JSX.Element {
  const [at, setAt] = useState<number>()
  const isEmpty = series.every(({ values }) => values.every((value) => !value))
  const top = niceMaximum(
    kind === 'bars' ? stackedMaximum(series, moments.length) : largest(series.flatMap(({ values }) => values)),
  )
  const show = (value: number | undefined): string =>
    value === undefined ? '\u2013' : `${formatNumber(round(value))}${unit}`

  function pointAt(event: PointerEvent & { readonly currentTarget: Element }): void {
    const { left, width: shown } = event.currentTarget.getBoundingClientRect()
    const index = Math.floor(((event.clientX - left) / shown) * moments.length)
    setAt(Math.max(0, Math.min(index, moments.length - 1)))
  }

  return (
    <figure class="plot">
      <figcaption>
        <h2>{title}</h2>
        {!isEmpty && (
          <span class="muted">{at === undefined ? summaryTime(kind, moments.length) : formatMinute(moments[at]!)}</span>
        )}
      </figcaption>
      {isEmpty ? (
        <p class="plot-empty muted">{empty}</p>
      ) : (
        <>
          <div class="plot-frame">
            <span class="plot-top muted">{show(top)}</span>
            <svg
              viewBox={`0 0 ${width} ${height}`}
              preserveAspectRatio="none"
              aria-hidden="true"
              focusable="false"
              onPointerMove={pointAt}
              onPointerLeave={() => setAt(undefined)}
            >
              <path class="grid" d={`M0 0.5H${width}M0 ${height / 2}H${width}M0 ${height - 0.5}H${width}`} />
              {kind === 'bars' ? (
                <Bars {...{ series, top, firstColour }} count={moments.length} />
              ) : (
                <Lines {...{ series, top, firstColour }} />
              )}
              {at !== undefined && <path class="cursor" d={`M${xOf(at + 0.5, moments.length)} 0V${height}`} />}
            </svg>
            <span class="plot-from muted">{moments[0] && formatMinute(moments[0])}</span>
            <span class="plot-to muted">now</span>
          </div>
          <ul class="legend">
            {series.map(({ name, values }, index) => (
              <li key={name}>
                <span class={`swatch ${colour(index + firstColour)}`} />
                {name} <strong>{show(at === undefined ? summary(kind, values) : values[at])}</strong>
              </li>
            ))}
          </ul>
          <PlotTable {...{ title, moments, series, show }} />
        </>
      )}
    </figure>
  )
}

const colours = 6
/** Ways in which a line is dashed. */
const styles = 3
const colour = (index: number): string => `series-${index % colours}`
const xOf = (index: number, count: number): number => Math.round((index / count) * width * 10) / 10
const yOf = (value: number, top: number): number => Math.round((1 - value / top) * height * 10) / 10
const round = (value: number): number => (value < 10 ? Math.round(value * 10) / 10 : Math.round(value))

function summaryTime(kind: PlotProps['kind'], minutes: number): string {
  if (kind === 'lines') return 'now'
  return minutes < 60 ? `the last ${minutes} minutes` : 'the last hour'
}

function summary(kind: PlotProps['kind'], values: Series['values']): number | undefined {
  if (kind === 'lines') return values.at(-1)
  return values.reduce<number>((sum, value) => sum + (value ?? 0), 0)
}

function largest(values: readonly (number | undefined)[]): number {
  return values.reduce<number>((most, value) => Math.max(most, value ?? 0), 0)
}

function stackedMaximum(series: readonly Series[], count: number): number {
  return largest(
    Array.from({ length: count }, (_, index) => series.reduce((sum, { values }) => sum + (values[index] ?? 0), 0)),
  )
}

/** 1, 2 or 5 times a power of ten, so that the axis has a round number. */
function niceMaximum(value: number): number {
  if (value <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  return [1, 2, 5, 10].map((factor) => factor * power).find((most) => most >= value) ?? value
}

interface DrawnProps {
  readonly series: readonly Series[]
  readonly top: number
  readonly firstColour: number
}

function Bars({ series, top, firstColour, count }: DrawnProps & { readonly count: number }): JSX.Element {
  const below = new Array<number>(count).fill(0)
  const paths = series.map(({ name, values }, index) => {
    const path = values.map((value, at) => {
      if (!value) return ''
      const from = below[at]!
      below[at] = from + value
      return `M${xOf(at + 0.1, count)} ${yOf(from, top)}V${yOf(from + value, top)}H${xOf(at + 0.9, count)}V${yOf(from, top)}z`
    })
    return <path key={name} class={`bar ${colour(index + firstColour)}`} d={path.join('')} />
  })
  return <g>{paths}</g>
}

function Lines({ series, top, firstColour }: DrawnProps): JSX.Element {
  return (
    <g>
      {series.map(({ name, values }, index) => (
        <g key={name}>
          <path class={`line line-${index % styles} ${colour(index + firstColour)}`} d={linePath(values, top)} />
          <path class={`line dot line-${index % styles} ${colour(index + firstColour)}`} d={dotsPath(values, top)} />
        </g>
      ))}
    </g>
  )
}

/** Broken where a value is not known. */
function linePath(values: Series['values'], top: number): string {
  let isDown = false
  return values
    .map((value, index) => {
      if (value === undefined) {
        isDown = false
        return ''
      }
      const step = `${isDown ? 'L' : 'M'}${xOf(index + 0.5, values.length)} ${yOf(value, top)}`
      isDown = true
      return step
    })
    .join('')
}

/** Values without one on either side, which no line leads to. */
function dotsPath(values: Series['values'], top: number): string {
  return values
    .map((value, index) => {
      const isAlone = value !== undefined && values[index - 1] === undefined && values[index + 1] === undefined
      return isAlone ? `M${xOf(index + 0.5, values.length)} ${yOf(value, top)}h0` : ''
    })
    .join('')
}

interface TableProps {
  readonly title: string
  readonly moments: readonly Date[]
  readonly series: readonly Series[]
  readonly show: (value: number | undefined) => string
}

function PlotTable({ title, moments, series, show }: TableProps): JSX.Element {
  const [isOpen, setOpen] = useState(false)
  const rows = moments.map((_, index) => index).reverse()
  return (
    <details class="plot-table" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>
        Numbers<span class="unseen"> of {title}</span>
      </summary>
      {isOpen && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reached by keyboard.
        <section class="scroll" tabIndex={0} aria-label={`Numbers of ${title}`}>
          <table>
            <thead>
              <tr>
                <th scope="col">Until</th>
                {series.map(({ name }) => (
                  <th key={name} scope="col" class="number">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((index) => (
                <tr key={index}>
                  <th scope="row">{formatMinute(moments[index]!)}</th>
                  {series.map(({ name, values }) => (
                    <td key={name} class="number">
                      {show(values[index])}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </details>
  )
}
