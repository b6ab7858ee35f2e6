import { useEffect, useState } from 'react';
import type { Json } from '../../../../../machines/json.ts';
import type { CheckJson } from '../../../components/json-schema/schema-check.ts';

/** How long typing pauses before the value is checked. */
const DELAY_MS = 300;
const NONE: readonly string[] = [];

/** What is wrong with a value while it is edited; undefined value = there is none. */
export function useProblems(check: CheckJson | undefined, value: Json | undefined): readonly string[] {
  const [problems, setProblems] = useState(NONE);
  useEffect(() => {
    if (check === undefined || value === undefined) {
      setProblems(NONE);
      return;
    }
    let isOld = false;
    const timer = setTimeout(() => {
      check(value).then(
        (found) => !isOld && setProblems(found),
        (error: unknown) => !isOld && setProblems([error instanceof Error ? error.message : String(error)]),
      );
    }, DELAY_MS);
    return () => {
      isOld = true;
      clearTimeout(timer);
    };
  }, [check, value]);
  return problems;
}
