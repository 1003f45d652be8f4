/**
 * Names that changed from Rerun 0.17 to 0.23 while the data stayed the same, from the change logs
 * and type definitions of these versions.
 *
 * @module
 */

/** Archetypes: 0.21 calls space views views. */
export const ARCHETYPE_NAMES: Readonly<Record<string, string>> = {
  "rerun.blueprint.archetypes.SpaceViewBlueprint": "rerun.blueprint.archetypes.ViewBlueprint",
  "rerun.blueprint.archetypes.SpaceViewContents": "rerun.blueprint.archetypes.ViewContents",
};

/** Fields, by today's name of the archetype. */
export const FIELD_NAMES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "rerun.blueprint.archetypes.ViewportBlueprint": { auto_space_views: "auto_views" },
};

/** Components: of 0.21, and two that 0.23 no longer has for blueprints alone. */
export const COMPONENT_NAMES: Readonly<Record<string, string>> = {
  "rerun.blueprint.components.AutoSpaceViews": "rerun.blueprint.components.AutoViews",
  "rerun.blueprint.components.SpaceViewClass": "rerun.blueprint.components.ViewClass",
  "rerun.blueprint.components.SpaceViewMaximized": "rerun.blueprint.components.ViewMaximized",
  "rerun.blueprint.components.SpaceViewOrigin": "rerun.blueprint.components.ViewOrigin",
  "rerun.blueprint.components.Interactive": "rerun.components.Interactive",
  "rerun.blueprint.components.Visible": "rerun.components.Visible",
};

/** Fields that got another component, by archetype: 0.18 poses boxes. */
export const FIELD_COMPONENTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "rerun.archetypes.Boxes3D": { centers: "rerun.components.PoseTranslation3D" },
};
