import { Button } from './button.tsx';

interface Props<View extends string> {
  /** Ids with their labels. */
  readonly views: readonly (readonly [id: View, label: string])[];
  readonly chosen: View;
  readonly onChoose: (view: View) => void;
  readonly className: string | undefined;
}

/** Buttons for the ways in which the same thing can be shown. */
export function ViewChoice<View extends string>({ views, chosen, onChoose, className }: Props<View>) {
  return (
    <fieldset className={className}>
      <legend className="visually-hidden">Shown as</legend>
      {views.map(([id, label]) => (
        <Button key={id} kind="quiet" aria-pressed={chosen === id} onClick={() => onChoose(id)}>
          {label}
        </Button>
      ))}
    </fieldset>
  );
}
