/** What the schema of plans says of a place in a plan. */
import planSchema from 'jobwright/plan.schema.json';

export interface Schema {
  $ref?: string;
  anyOf?: Schema[];
  type?: string | string[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  examples?: unknown[];
  description?: string;
  definitions?: Record<string, Schema>;
}

export type Path = (string | number)[];

const ROOT = planSchema as Schema;
const REFERENCE = '#/definitions/';

/** The schemas that may hold at a place, from the plan on: of alternatives all, of what is unknown none. */
export function schemasAt(path: Path, root: Schema = ROOT): Schema[] {
  return path.reduce<Schema[]>(
    (schemas, key) => schemas.flatMap((schema) => below(schema, key, root)),
    open(root, root),
  );
}

function below({ properties, items }: Schema, key: string | number, root: Schema): Schema[] {
  const schema =
    typeof key === 'number'
      ? items
      : properties && Object.hasOwn(properties, key)
        ? properties[key]
        : undefined;
  return schema === undefined ? [] : open(schema, root);
}

/** A schema with its references followed; what it says of itself beside them is said of each. */
function open(schema: Schema, root: Schema): Schema[] {
  const { $ref, anyOf, ...own } = schema;
  const inner = [
    ...($ref?.startsWith(REFERENCE) ? [root.definitions?.[$ref.slice(REFERENCE.length)] ?? {}] : []),
    ...(anyOf ?? []),
  ];
  if (inner.length === 0) return [schema];
  return inner.flatMap((each) => open(each, root)).map((each) => ({ ...each, ...own, definitions: {} }));
}

/** What can stand at a place, where there are few things that can. */
export function valuesOf({ enum: values, const: value, type }: Schema): unknown[] {
  if (values !== undefined) return values;
  if (value !== undefined) return [value];
  return type === 'boolean' ? [true, false] : [];
}
