import { InvalidSchedule, parseCron } from '../../../../src/cron-expression.ts';
import { inWords } from './in-words.ts';

const SHOWN = 4;

/** The times of a schedule as it is typed, or what is wrong with it. */
export function NextRuns({ expression, timezone }: { readonly expression: string; readonly timezone: string }) {
  if (expression.trim() === '') return null;
  const zone = timezone.trim() === '' ? 'UTC' : timezone.trim();
  const times = nextTimes(expression, zone);
  if (typeof times === 'string') return <p role="alert">{times}</p>;
  if (times.length === 0) return <p role="alert">There is no such time.</p>;
  const words = inWords(expression);
  const format = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short', timeZone: zone });
  return (
    <p className="muted" role="status">
      {words !== null && <>{words}: </>}
      {times.map((time) => format.format(time)).join(' · ')} …
    </p>
  );
}

function nextTimes(expression: string, zone: string): readonly Date[] | string {
  try {
    return parseCron(expression, zone).nextRuns(SHOWN);
  } catch (error) {
    if (error instanceof InvalidSchedule) return error.message;
    throw error;
  }
}
