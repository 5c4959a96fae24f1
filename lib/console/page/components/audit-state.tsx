/**
 * How the audit trail is doing.
 *
 * @module
 */

import type { JSX } from 'preact'
import type { AuditStatus } from '../../../audit/audit-record.js'
import { formatNumber, plural } from '../format.js'
import { useResource } from '../use-resource.js'
import { Badge, type Tone } from './badge.js'
import { Facts, FilePath } from './facts.js'
import { Loaded } from './states.js'
import { Time } from './time.js'
import { Section } from './view.js'

const pollMs = 10_000

const states: Readonly<Record<AuditStatus['state'], readonly [Tone, string]>> = {
  ok: ['good', 'OK'],
  degraded: ['warn', 'Degraded'],
  failing: ['bad', 'Failing'],
  off: ['neutral', 'Off'],
}

export function AuditState(): JSX.Element {
  const status = useResource<AuditStatus>('audit/status', { pollMs })
  const { data } = status
  const [tone, word] = states[data?.state ?? 'off']
  return (
    <>
      {data?.state === 'failing' && (
        <p class="notice notice-bad" role="alert">
          Records cannot be written: {data.error ?? 'the reason is in the log'}. {plural(data.queued, 'record')}{' '}
          {data.queued === 1 ? 'waits' : 'wait'}.
        </p>
      )}
      {data?.state === 'degraded' && (
        <p class="notice" role="alert">
          Records are written, but the anchor cannot be: {data.error ?? 'the reason is in the log'}.
        </p>
      )}
      <Section title="Trail" actions={data !== undefined && <Badge tone={tone}>{word}</Badge>}>
        <Loaded resource={status}>
          {({ file, sequence, lastWriteAt, lagMs, queued, lastCheckpoint }) => (
            <Facts
              isWide
              facts={[
                [
                  'File',
                  file === null ? 'None: records go to the log, or to the app' : <FilePath key="file" path={file} />,
                ],
                ['Records', formatNumber(sequence)],
                ['Last written', <Time key="written" at={lastWriteAt} />],
                ['Waiting', queued === 0 ? 'Nothing' : `${plural(queued, 'record')}, for ${formatNumber(lagMs)} ms`],
                [
                  'Last checkpoint',
                  lastCheckpoint === null ? (
                    'None yet'
                  ) : (
                    <>
                      Record {formatNumber(lastCheckpoint.sequence)}, <Time at={lastCheckpoint.time} />
                    </>
                  ),
                ],
                [
                  'Chain',
                  file === null ? null : (
                    <>
                      Checked by <code>sallyport audit verify</code>
                    </>
                  ),
                ],
              ]}
            />
          )}
        </Loaded>
      </Section>
    </>
  )
}
