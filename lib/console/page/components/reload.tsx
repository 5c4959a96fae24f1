/**
 * What a reload of the configuration would do, and the button that does it.
 *
 * @module
 */

import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { ReloadPreview, ReloadProblem } from '../../../admin-api/schemas/reload.js'
import { type ApiError, requestJson } from '../api.js'
import { plural } from '../format.js'
import { apiError } from '../use-resource.js'
import { Dialog } from './dialog.js'
import { CodeList, ConfigKey, Facts, Place } from './facts.js'
import { Failure } from './states.js'
import { Table } from './table.js'
import { Section, useShell } from './view.js'

interface ReloadProps {
  /** Whether the file has changed since it was read. */
  readonly hasChanged: boolean
  readonly onReloaded: () => void
}

interface ReloadOutcome {
  readonly changed: readonly string[]
  readonly atNextStart: readonly string[]
}

export function Reload({ hasChanged, onReloaded }: ReloadProps): JSX.Element {
  const { announce } = useShell()
  const [preview, setPreview] = useState<ReloadPreview>()
  const [error, setError] = useState<ApiError>()
  const [isBusy, setBusy] = useState(false)
  const [isAsking, setAsking] = useState(false)

  async function look(): Promise<void> {
    if (isBusy) return
    setBusy(true)
    setError(undefined)
    try {
      setPreview(await requestJson<ReloadPreview>('reload'))
    } catch (failure) {
      setError(apiError(failure))
    }
    setBusy(false)
  }

  async function reload(): Promise<void> {
    const body = { version: preview?.version ?? '' }
    try {
      const { changed, atNextStart } = await requestJson<ReloadOutcome>('reload', { method: 'POST', body })
      const what = changed.length === 0 ? 'Nothing else is in effect' : `In effect now: ${changed.join(', ')}`
      const rest = atNextStart.length === 0 ? '' : ` At the next start: ${atNextStart.join(', ')}.`
      announce(`The configuration was reloaded. ${what}.${rest}`)
      setPreview(undefined)
      onReloaded()
    } catch (failure) {
      if (apiError(failure).code !== 'ERR_CONFIG_CHANGED') throw failure
      announce('Nothing was reloaded: the file has changed since the preview. Look at the new one.')
      await look()
    }
  }

  return (
    <Section
      title="Reload"
      actions={
        <>
          <button type="button" class={preview === undefined ? 'primary' : ''} aria-disabled={isBusy} onClick={look}>
            {isBusy ? 'Comparing\u2026' : preview === undefined ? 'Preview' : 'Preview again'}
          </button>
          {preview !== undefined && preview.problems.length === 0 && (
            <button type="button" class="primary" onClick={() => setAsking(true)}>
              Reload{'\u2026'}
            </button>
          )}
        </>
      }
    >
      {error !== undefined && <Failure error={error} onRetry={look} />}
      {preview === undefined ? (
        <p class="muted">
          {hasChanged ? 'The file has changed. ' : ''}A preview reads the file, says what is wrong with it or what it
          changes, and changes nothing.
        </p>
      ) : (
        <Preview preview={preview} />
      )}
      {isAsking && preview !== undefined && (
        <Dialog title="Reload the configuration?" action="Reload" onConfirm={reload} onClose={() => setAsking(false)}>
          <p>{effectOf(preview)}</p>
          <p>It holds at once, for all requests of this process. The only way back is another change of the file.</p>
        </Dialog>
      )}
    </Section>
  )
}

/** What the dialog says will happen. */
function effectOf({ isComplete, widened, narrowed, changed, notCompared, atNextStart }: ReloadPreview): string {
  const access = isComplete
    ? `${plural(widened, 'class', 'classes')} of requests newly let in, ${narrowed} newly refused.`
    : 'Which requests are let in or refused could not be compared in time.'
  return [
    access,
    changed.length === 0 ? 'No table has another value.' : `Tables that change: ${changed.join(', ')}.`,
    ...(notCompared.length === 0 ? [] : [`${plural(notCompared.length, 'key')} that no request tells differ.`]),
    ...(atNextStart.length === 0 ? [] : [`Only at the next start: ${atNextStart.join(', ')}.`]),
  ].join(' ')
}

function Preview({ preview }: { readonly preview: ReloadPreview }): JSX.Element {
  const { problems, isChanged, changed, atNextStart, widened, narrowed, notCompared, isComplete, diff } = preview
  if (problems.length > 0) return <Problems problems={problems} />
  return (
    <>
      {!isChanged && changed.length === 0 && (
        <p class="muted">
          The file says what is in effect. Files that it names, such as keys and logos, are read anew.
        </p>
      )}
      {!isComplete && <p class="notice">Requests could not be compared in time: their numbers are not known.</p>}
      {widened > 0 && <p class="notice">{plural(widened, 'class', 'classes')} of requests would newly be let in.</p>}
      <Facts
        facts={[
          ['Newly let in', isComplete ? `${plural(widened, 'class', 'classes')} of requests` : 'Not known'],
          ['Newly refused', isComplete ? `${plural(narrowed, 'class', 'classes')} of requests` : 'Not known'],
          ['Tables that change', <CodeList key="changed" texts={changed} />],
          ['Only at the next start', atNextStart.length === 0 ? null : <CodeList key="start" texts={atNextStart} />],
          [
            'Not compared',
            notCompared.length === 0 ? null : <CodeList key="others" texts={notCompared.map(({ key }) => key)} />,
          ],
        ]}
      />
      {diff !== '' && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reached by keyboard.
        <section class="scroll diff" tabIndex={0} aria-label="What sallyport diff says">
          <pre>{diff.split('\n').map((line, index) => [index > 0 && <br key={index} />, line])}</pre>
        </section>
      )}
    </>
  )
}

function Problems({ problems }: { readonly problems: readonly ReloadProblem[] }): JSX.Element {
  return (
    <>
      <p class="notice notice-bad" role="alert">
        The file has {plural(problems.length, 'mistake')}: it cannot be reloaded. What is in effect stays.
      </p>
      <Table
        caption="Mistakes"
        columns={[
          { title: 'Key', kind: 'head', cell: ({ key }) => <ConfigKey name={key} /> },
          { title: 'Line', cell: ({ position }) => (position === null ? '\u2013' : <Place at={position} />) },
          {
            title: 'Mistake',
            cell: ({ rule, suggestion }) => `${rule}${suggestion === undefined ? '' : `; did you mean ${suggestion}?`}`,
          },
        ]}
        rows={problems}
        rowKey={({ key, rule }) => `${key} ${rule}`}
      />
    </>
  )
}
