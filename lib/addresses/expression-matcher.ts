/**
 * Matches whole texts against expressions in one pass: all ways through an expression are followed at the same time
 * (Thompson's construction), so that a text of n characters takes at most n + 1 times as many steps as the expression
 * has.
 *
 * @module
 */

import type { Expression } from './wso2-expression.js'
import { type CharacterSet, characterSet } from './wso2-expression.js'

/** One step of a program. All but forks go on with the step behind them. */
type Step =
  | { readonly kind: 'set'; readonly set: CharacterSet }
  | { readonly kind: 'start' | 'end' | 'match' }
  | { readonly kind: 'fork'; targets: readonly number[] }

/** A compiled expression. Its last step is the only one that says the text matches. */
export type Program = readonly Step[]

/** Steps of one expression. A counted repetition takes its steps as often as it may repeat. */
const maxSteps = 1000

export function programMatcher(steps: Program): (text: string) => boolean {
  const matchAt = steps.length - 1
  /** For each step, the last time it was reached. Doubles, so that the count of times never starts again. */
  const reached = new Float64Array(steps.length)
  let clock = 0

  /** Adds the steps that can be taken next without reading a character. */
  function follow(first: number, isStart: boolean, isEnd: boolean, current: number[]): void {
    const waiting = [first]
    for (let index = waiting.pop(); index !== undefined; index = waiting.pop()) {
      if (reached[index] === clock) continue
      reached[index] = clock
      const step = steps[index]!
      if (step.kind === 'fork') waiting.push(...step.targets)
      else if (step.kind === 'start' || step.kind === 'end') {
        if (step.kind === 'start' ? isStart : isEnd) waiting.push(index + 1)
      } else current.push(index)
    }
  }

  return function matches(text) {
    let current: number[] = []
    clock++
    follow(0, true, text.length === 0, current)
    for (let position = 0; position < text.length && current.length > 0; position++) {
      const character = characterSet(text[position]!)
      const next: number[] = []
      clock++
      for (const index of current) {
        const step = steps[index]!
        if (step.kind !== 'set' || (step.set & character) === 0) continue
        follow(index + 1, false, position + 1 === text.length, next)
      }
      current = next
    }
    return current.includes(matchAt)
  }
}

/** @throws TypeError for one that would need more than 1000 steps. */
export function compileExpression(expression: Expression): Program {
  const steps: Step[] = []

  function add(step: Step): number {
    if (steps.length === maxSteps) throw new TypeError(`is too long: it needs more than ${maxSteps} steps`)
    return steps.push(step) - 1
  }

  function addExpression(part: Expression): void {
    if (part.kind === 'set') add({ kind: 'set', set: part.set })
    else if (part.kind === 'sequence') part.parts.forEach(addExpression)
    else if (part.kind === 'choice') addChoice(part.parts)
    else if (part.kind === 'repeat') addRepeat(part.part, part.min, part.max)
    else add({ kind: part.kind })
  }

  function addChoice(parts: readonly Expression[]): void {
    const fork = { kind: 'fork' as const, targets: [] as number[] }
    add(fork)
    const ends = parts.map((part) => {
      fork.targets.push(steps.length)
      addExpression(part)
      const end = { kind: 'fork' as const, targets: [] as number[] }
      add(end)
      return end
    })
    for (const end of ends) end.targets.push(steps.length)
  }

  function addRepeat(part: Expression, min: number, max: number): void {
    for (let count = 0; count < min; count++) {
      const before = steps.length
      addExpression(part)
      // What has no steps matches nothing but the empty text, however often it is repeated.
      if (steps.length === before) return
    }
    if (max === Infinity) addLoop(part)
    else addOptional(part, max - min)
  }

  function addLoop(part: Expression): void {
    const fork = { kind: 'fork' as const, targets: [] as number[] }
    const start = add(fork)
    addExpression(part)
    add({ kind: 'fork', targets: [start] })
    fork.targets.push(start + 1, steps.length)
  }

  function addOptional(part: Expression, count: number): void {
    const forks = Array.from({ length: count }, () => {
      const fork = { kind: 'fork' as const, targets: [] as number[] }
      fork.targets.push(add(fork) + 1)
      addExpression(part)
      return fork
    })
    for (const fork of forks) fork.targets.push(steps.length)
  }

  addExpression(expression)
  add({ kind: 'match' })
  return steps
}
