/**
 * Fields of filters and forms, each with its label.
 *
 * @module
 */

import type { JSX } from 'preact'
import { useId } from 'preact/hooks'

interface FieldProps {
  readonly label: string
  readonly value: string
  readonly onChange: (value: string) => void
  readonly hint?: string
}

interface InputProps {
  /** @defaultValue `'text'` */
  readonly type?: 'text' | 'search' | 'password' | 'date' | 'datetime-local'
  /** @defaultValue `'off'` */
  readonly autocomplete?: 'off' | 'new-password' | 'current-password'
  readonly required?: boolean
  readonly autofocus?: boolean
  readonly placeholder?: string
}

export function TextField({
  label,
  value,
  onChange,
  hint,
  type = 'text',
  autocomplete = 'off',
  ...input
}: FieldProps & InputProps): JSX.Element {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        // The types of Preact know each kind of field alone.
        type={type as 'text'}
        value={value}
        spellcheck={false}
        autocapitalize="none"
        autocomplete={autocomplete}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onInput={({ currentTarget }) => onChange(currentTarget.value)}
        {...input}
      />
      {hint !== undefined && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  )
}

/** `options`: value and what is shown. */
export function SelectField({
  label,
  value,
  onChange,
  options,
}: FieldProps & { readonly options: readonly (readonly [value: string, shown: string])[] }): JSX.Element {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
        {options.map(([option, shown]) => (
          <option key={option} value={option}>
            {shown}
          </option>
        ))}
      </select>
    </div>
  )
}

export function CheckField({
  label,
  isChecked,
  onChange,
  hint,
}: {
  readonly label: string
  readonly isChecked: boolean
  readonly onChange: (isChecked: boolean) => void
  readonly hint?: string
}): JSX.Element {
  const id = useId()
  return (
    <div class="check-field">
      <input
        id={id}
        type="checkbox"
        checked={isChecked}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onChange={({ currentTarget }) => onChange(currentTarget.checked)}
      />
      <label for={id}>{label}</label>
      {hint !== undefined && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  )
}
