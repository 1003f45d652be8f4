import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { oldValues } from "../../../lib/encoding/chunks/old_values.ts";

const TENSOR = "rerun.components.TensorData";
const image = { archetype: "rerun.archetypes.Image", field: "data" };

function tensor(
  kind: string,
  shape: readonly (readonly [string | null, number])[],
  value: unknown,
) {
  const dimensions = shape.map(([name, size]) => ({ name, size: BigInt(size) }));
  return { shape: dimensions, buffer: { kind, value } };
}

/** Today's values of what was sent, by their components. */
function today(
  component: string,
  sent: readonly unknown[],
  archetype?: { readonly archetype: string; readonly field: string },
  minor = 17,
) {
  const old = oldValues(component, archetype, minor);
  return old && Object.fromEntries(
    old.map(({ component, today }) => [component.replace("rerun.components.", ""), today(sent)])
      .filter(([, value]) => value !== undefined),
  );
}

describe("what was laid out otherwise", () => {
  it("is a tensor, whose sizes and names stand apart today", () => {
    const value = Uint8Array.of(1, 2, 3, 4, 5, 6);
    const named = tensor("U8", [["rows", 2], [null, 3]], value);
    const bare = tensor("U8", [[null, 2], [null, 3]], value);
    const buffer = { kind: "U8", value };
    assertEquals(today(TENSOR, [named, bare], undefined, 21), {
      TensorData: [
        { shape: BigUint64Array.of(2n, 3n), names: ["rows", null], buffer },
        { shape: BigUint64Array.of(2n, 3n), names: null, buffer },
      ],
    });
    const odd = [{ shape: [2], buffer }, 7, null];
    assertEquals(today(TENSOR, odd), { TensorData: odd });
    assertEquals(today(TENSOR, [named], undefined, 22), undefined);
  });

  it("is a picture, of colors, of depths, of classes", () => {
    const data = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
    const rgb = tensor("U8", [["height", 2], ["width", 2], ["depth", 3]], data);
    const format = { width: 2, height: 2, pixel_format: null, color_model: 2, channel_datatype: 6 };
    assertEquals(today(TENSOR, [rgb], image), { ImageBuffer: [data], ImageFormat: [format] });
    const depth = tensor("F32", [["height", 1], ["width", 3]], new Float32Array(3));
    const of = { archetype: "rerun.archetypes.DepthImage", field: "data" };
    assertEquals(today(TENSOR, [depth], of), {
      ImageBuffer: [new Uint8Array(12)],
      ImageFormat: [{ ...format, width: 3, height: 1, color_model: null, channel_datatype: 34 }],
    });
  });

  it("is a picture of a format of video, or one that is compressed", () => {
    const data = new Uint8Array(12);
    const none = { color_model: null, channel_datatype: null };
    assertEquals(today(TENSOR, [tensor("NV12", [["", 3], ["", 4], ["", 1]], data)], image), {
      ImageBuffer: [data],
      ImageFormat: [{ width: 4, height: 2, pixel_format: 26, ...none }],
    });
    assertEquals(today(TENSOR, [tensor("YUY2", [["", 2], ["", 3], ["", 2]], data)], image), {
      ImageBuffer: [data],
      ImageFormat: [{ width: 3, height: 2, pixel_format: 27, ...none }],
    });
    assertEquals(today(TENSOR, [tensor("JPEG", [["", 2], ["", 2], ["", 3]], data)], image), {
      Blob: [data],
      MediaType: ["image/jpeg"],
    });
    assertEquals(today(TENSOR, [tensor("NV12", [["", 4], ["", 4]], data)], image), {});
    assertEquals(today(TENSOR, [{ shape: 1, buffer: 2 }, undefined], image), {});
  });

  it("is a transform, whose parts are components today", () => {
    const of = (sent: unknown) => today("rerun.components.Transform3D", [sent]);
    const [translation, three] = [Float32Array.of(1, 2, 3), Float32Array.of(2, 3, 4)];
    const nothing = { kind: "_null_markers", value: null };
    const value = { translation, rotation: nothing, scale: nothing, from_parent: false };
    const kind = "TranslationRotationScale";
    assertEquals(of({ kind, value }), {
      Translation3D: translation,
      TransformRelation: Uint8Array.of(1),
    });
    const turned = (rotation: unknown, scale: unknown) => of({ kind, value: { rotation, scale } });
    const quaternion = Float32Array.of(0, 0, 0, 1);
    assertEquals(
      turned({ kind: "Quaternion", value: quaternion }, { kind: "Uniform", value: 2 }),
      { RotationQuat: quaternion, Scale3D: Float32Array.of(2, 2, 2) },
    );
    const angle = { kind: "Degrees", value: 180 };
    assertEquals(
      turned({ kind: "AxisAngle", value: { axis: three, angle } }, {
        kind: "ThreeD",
        value: three,
      }),
      { RotationAxisAngle: [{ axis: three, angle: Math.PI }], Scale3D: three },
    );
    const mat3x3 = new Float32Array(9);
    assertEquals(of({ kind: "TranslationAndMat3x3", value: { mat3x3, from_parent: true } }), {
      TransformMat3x3: mat3x3,
      TransformRelation: Uint8Array.of(2),
    });
    for (const odd of [undefined, null, 1, {}, { kind, value: 2 }]) assertEquals(of(odd), {});
    assertEquals(
      today("rerun.components.Transform3D", [{ kind, value }], undefined, 18),
      undefined,
    );
  });
});
