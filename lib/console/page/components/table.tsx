/**
 * A table that can be sorted; on a narrow screen each row is a card.
 *
 * @module
 */

import type { ComponentChildren, JSX } from 'preact'
import { useMemo } from 'preact/hooks'

export interface Column<Row> {
  readonly title: string
  /** What the cell shows. A text is a text: HTML in it is not read. */
  readonly cell: (row: Row) => ComponentChildren
  /** The server's name of the field; absent: the rows cannot be sorted by it. */
  readonly sortBy?: string
  /** `head`: names the row. `name`: of a user. `number`: to the right. `actions`: buttons, without a visible title. */
  readonly kind?: 'head' | 'name' | 'number' | 'actions' | 'code'
}

export interface TableProps<Row> {
  /** What the table is; heard, not seen. */
  readonly caption: string
  /** The same array, where the cells show the same: rows are rendered anew with another one. */
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly rowKey: (row: Row) => string
  /** A field, with `-` before it from the greatest on. */
  readonly sort?: string
  readonly onSort?: (sort: string) => void
  /** Whether newer rows are awaited. */
  readonly isBusy?: boolean
}

export function Table<Row>({
  caption,
  columns,
  rows,
  rowKey,
  sort,
  onSort,
  isBusy = false,
}: TableProps<Row>): JSX.Element {
  const body = useMemo(
    () =>
      rows.map((row) => (
        <tr key={rowKey(row)} {...roles.row}>
          {columns.map((column) => (
            <Cell key={column.title} column={column} row={row} />
          ))}
        </tr>
      )),
    [rows, columns],
  )
  return (
    <div class="table-frame">
      <table aria-busy={isBusy} {...roles.table}>
        <caption class="unseen">{caption}</caption>
        <thead {...roles.group}>
          <tr {...roles.row}>
            {columns.map((column) => (
              <HeaderCell key={column.title} column={column} sort={sort} onSort={onSort} />
            ))}
          </tr>
        </thead>
        <tbody {...roles.group}>{body}</tbody>
      </table>
    </div>
  )
}

/** Said again, because a browser may forget them where rows are cards. */
const roles = {
  table: { role: 'table' },
  group: { role: 'rowgroup' },
  row: { role: 'row' },
  head: { role: 'rowheader' },
  cell: { role: 'cell' },
} as const

interface HeaderProps {
  readonly column: Pick<Column<never>, 'title' | 'sortBy' | 'kind'>
  readonly sort: string | undefined
  readonly onSort: ((sort: string) => void) | undefined
}

function HeaderCell({ column: { title, sortBy, kind }, sort, onSort }: HeaderProps): JSX.Element {
  const classes = `${kind === 'code' ? '' : (kind ?? '')}${sortBy === undefined ? ' unsortable' : ''}`.trim()
  if (sortBy === undefined || onSort === undefined) {
    return (
      <th scope="col" class={classes} {...{ role: 'columnheader' }}>
        {kind === 'actions' ? <span class="unseen">{title}</span> : title}
      </th>
    )
  }
  const direction = sort === sortBy ? 'ascending' : sort === `-${sortBy}` ? 'descending' : 'none'
  return (
    <th scope="col" class={classes} aria-sort={direction} {...{ role: 'columnheader' }}>
      <button type="button" class="sort" onClick={() => onSort(direction === 'ascending' ? `-${sortBy}` : sortBy)}>
        {title}
        <svg class="arrow" viewBox="0 0 10 12" aria-hidden="true" focusable="false">
          <path class={direction === 'ascending' ? 'on' : ''} d="M5 0 9 5H1z" />
          <path class={direction === 'descending' ? 'on' : ''} d="M5 12 1 7h8z" />
        </svg>
      </button>
    </th>
  )
}

function Cell<Row>({
  column: { title, cell, kind },
  row,
}: {
  readonly column: Column<Row>
  readonly row: Row
}): JSX.Element {
  if (kind === 'head') {
    return (
      <th scope="row" {...roles.head}>
        {cell(row)}
      </th>
    )
  }
  return (
    <td class={kind === 'code' ? undefined : kind} data-label={kind === 'actions' ? undefined : title} {...roles.cell}>
      <div class={kind === 'code' ? 'code' : ''}>{cell(row)}</div>
    </td>
  )
}
