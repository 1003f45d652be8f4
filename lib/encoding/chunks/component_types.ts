/** Types of the values of Rerun's components, by today's names; those of others are `unknown`. */
export interface ComponentValues {
  /** One number, or one for each series. */
  readonly "Scalars:scalars": Float64Array;
  /** Bytes of each picture. */
  readonly "Image:buffer": readonly Uint8Array[];
  /** How each picture is stored in its bytes. */
  readonly "Image:format": readonly ImageFormatValue[];
  /** Bytes of each picture. */
  readonly "DepthImage:buffer": readonly Uint8Array[];
  /** How each picture is stored in its bytes. */
  readonly "DepthImage:format": readonly ImageFormatValue[];
  /** How many of its units are a meter. */
  readonly "DepthImage:meter": Float32Array;
  /** Bytes of each picture, a class id for each pixel. */
  readonly "SegmentationImage:buffer": readonly Uint8Array[];
  /** How each picture is stored in its bytes. */
  readonly "SegmentationImage:format": readonly ImageFormatValue[];
  /** A file, such as a JPEG. */
  readonly "EncodedImage:blob": readonly Uint8Array[];
  /** Such as `image/jpeg`. */
  readonly "EncodedImage:media_type": readonly string[];
  /** Three for each point. */
  readonly "Points3D:positions": Float32Array;
  /** One for each point, or one for all; below zero in UI points, else in scene units. */
  readonly "Points3D:radii": Float32Array;
  /** `0xRRGGBBAA`. */
  readonly "Points3D:colors": Uint32Array;
  /** One for each point, or one for all. */
  readonly "Points3D:labels": readonly string[];
  /** One for each point, or one for all. */
  readonly "Points3D:class_ids": Uint16Array;
  /** Two for each point. */
  readonly "Points2D:positions": Float32Array;
  /** One for each point, or one for all; below zero in UI points, else in scene units. */
  readonly "Points2D:radii": Float32Array;
  /** `0xRRGGBBAA`. */
  readonly "Points2D:colors": Uint32Array;
  /** One for each point, or one for all. */
  readonly "Points2D:labels": readonly string[];
  /** Three for each arrow. */
  readonly "Arrows3D:vectors": Float32Array;
  /** Three for each arrow. */
  readonly "Arrows3D:origins": Float32Array;
  /** Three for each box. */
  readonly "Boxes3D:half_sizes": Float32Array;
  /** Three for each box. */
  readonly "Boxes3D:centers": Float32Array;
  /** Two for each box. */
  readonly "Boxes2D:half_sizes": Float32Array;
  /** Two for each box. */
  readonly "Boxes2D:centers": Float32Array;
  /** For each strip three for each point. */
  readonly "LineStrips3D:strips": readonly Float32Array[];
  /** For each strip two for each point. */
  readonly "LineStrips2D:strips": readonly Float32Array[];
  /** Three numbers. */
  readonly "Transform3D:translation": Float32Array;
  /** x, y, z, w. */
  readonly "Transform3D:quaternion": Float32Array;
  /** Three numbers. */
  readonly "Transform3D:scale": Float32Array;
  /** Nine numbers, column by column. */
  readonly "Transform3D:mat3x3": Float32Array;
  /** Nine numbers, column by column. */
  readonly "Pinhole:image_from_camera": Float32Array;
  /** Width and height. */
  readonly "Pinhole:resolution": Float32Array;
  /** The text of each entry. */
  readonly "TextLog:text": readonly string[];
  /** Such as `INFO`. */
  readonly "TextLog:level": readonly string[];
  /** The text of each document. */
  readonly "TextDocument:text": readonly string[];
  /** Such as `text/markdown`. */
  readonly "TextDocument:media_type": readonly string[];
  /** Whether the entities below it are cleared, too. */
  readonly "Clear:is_recursive": readonly boolean[];
  /** Three, one for each axis, as Rerun numbers directions. */
  readonly "ViewCoordinates:xyz": Uint8Array;
}

/** How a picture is stored in its bytes, with Rerun's numbers. */
export interface ImageFormatValue {
  /** In pixels. */
  readonly width: number;
  /** In pixels. */
  readonly height: number;
  /** Such as 26 for NV12; `null` where color model and datatype tell. */
  readonly pixel_format: number | null;
  /** Such as 2 for RGB. */
  readonly color_model: number | null;
  /** Such as 6 for bytes. */
  readonly channel_datatype: number | null;
}
