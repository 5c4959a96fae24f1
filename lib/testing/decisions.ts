/**
 * Records what the mounts of a front decide.
 *
 * @module
 */

import type { Request } from 'express'
import type { MountObserver } from '../app/mounts.js'
import { findAuth } from '../core/auth.js'
import type { HttpErrorCode, Origin, Position } from '../core/errors.js'
import { isThenable } from '../core/thenable.js'
import type { Gate } from '../http/gate.js'

/** What one mount has decided about one request. */
export interface Decision {
  /** `managementApi`, `webApps`, `oauth`, or `portal` and its name: `portal publisher`. */
  readonly mount: string
  /** Of the request, in capitals. */
  readonly method: string
  /** Without the query. */
  readonly path: string
  /** `passed`: on to the app. `answered`: by the mount itself, as a login, or a way to the login page. */
  readonly outcome: 'passed' | 'refused' | 'answered'
  /** Of the answer; `undefined` where the app answers. */
  readonly status: number | undefined
  /** Why it was refused. */
  readonly code: HttpErrorCode | undefined
  /** Key of the rule that refused, or of the last one that let it pass; `undefined` where no rule did. */
  readonly rule: string | undefined
  /** Where the rule stands; `undefined` where the configuration is no file. */
  readonly position: Position | undefined
  /** The caller; `undefined` when nobody was authenticated. */
  readonly subject: string | undefined
}

/** What is known when it is decided. */
type Outcome = Pick<Decision, 'mount' | 'outcome'> & Partial<Pick<Decision, 'status' | 'code'>>

/** Makes an observer that adds to a list. */
export function recordDecisions(decisions: Decision[]): MountObserver {
  /** The last rule that each request has passed at the mount that it is in. */
  const passed = new WeakMap<Request, Origin>()

  function record(request: Request, origin: Origin | undefined, outcome: Outcome): void {
    const { method, baseUrl, path } = request
    const subject = findAuth(request)?.subject
    const about = { method, path: baseUrl + path, rule: origin?.key, position: origin?.position, subject }
    decisions.push({ status: undefined, code: undefined, ...outcome, ...about })
  }

  function watchGate(mount: string, gate: Gate): Gate {
    return function watchedGate(request, response) {
      const trace = {
        rule(origin: Origin) {
          passed.set(request, origin)
        },
      }
      const verdict = gate(request, response, trace)
      const tell = (settled: unknown): void => {
        if (settled !== 'answered') return
        record(request, undefined, { mount, outcome: 'answered', status: response.statusCode })
      }
      if (!isThenable(verdict)) {
        tell(verdict)
        return verdict
      }
      return Promise.resolve(verdict).then((settled) => {
        tell(settled)
        return settled
      })
    }
  }

  return {
    watch(mount, gates) {
      const enter: Gate = (request) => {
        passed.delete(request)
        return undefined
      }
      const pass: Gate = (request) => {
        record(request, passed.get(request), { mount, outcome: 'passed' })
        return undefined
      }
      return [enter, ...gates.map((gate) => watchGate(mount, gate)), pass]
    },

    refused(mount, { status, code, origin }, request) {
      record(request, origin, { mount, outcome: 'refused', status, code })
    },
  }
}
