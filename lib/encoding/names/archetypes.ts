/**
 * The fields of all archetypes in Rerun 0.17 to 0.22, whose chunks name only components.
 *
 * Made from Rerun's type definitions by `tests/bridge/make_archetypes.ts`: do not edit.
 *
 * @module
 */

/**
 * One archetype in each line, with its fields as `FIELD=COMPONENT`. `!` instead of `=` marks a
 * required field, and `~` behind it one whose data has another layout today, or none. `@19-` says
 * from 0.19 on, `@-17` up to 0.17.
 *
 * Names are short for those in `rerun.archetypes` and `rerun.components`; with `blueprint.` before
 * them, for those in `rerun.blueprint.archetypes` and `rerun.blueprint.components`.
 */
export const ARCHETYPES: readonly string[] = [
  "AnnotationContext context!AnnotationContext",
  "Arrows2D vectors!Vector2D origins=Position2D radii=Radius colors=Color labels=Text draw_order=DrawOrder class_ids=ClassId show_labels=ShowLabels@19-",
  "Arrows3D vectors!Vector3D origins=Position3D radii=Radius colors=Color labels=Text class_ids=ClassId show_labels=ShowLabels@19-",
  "Asset3D blob!Blob media_type=MediaType transform=OutOfTreeTransform3D~@-17 albedo_factor=AlbedoFactor@20-",
  "AssetVideo blob!Blob@19- media_type=MediaType@19-",
  "BarChart values!TensorData~@-21 color=Color values!TensorData@22-",
  "Boxes2D half_sizes!HalfSize2D centers=Position2D colors=Color radii=Radius labels=Text draw_order=DrawOrder class_ids=ClassId show_labels=ShowLabels@19-",
  "Boxes3D half_sizes!HalfSize3D centers=Position3D@-17 rotations=Rotation3D~@-17 colors=Color radii=Radius labels=Text class_ids=ClassId centers=PoseTranslation3D@18- rotation_axis_angles=PoseRotationAxisAngle@18- quaternions=PoseRotationQuat@18- fill_mode=FillMode@18- show_labels=ShowLabels@19-",
  "Capsules3D lengths!Length@20- radii!Radius@20- translations=PoseTranslation3D@20- rotation_axis_angles=PoseRotationAxisAngle@20- quaternions=PoseRotationQuat@20- colors=Color@20- labels=Text@20- show_labels=ShowLabels@20- class_ids=ClassId@20-",
  "Clear is_recursive!ClearIsRecursive",
  "DepthImage data!TensorData~@-17 meter=DepthMeter colormap=Colormap~@-17 point_fill_ratio=FillRatio draw_order=DrawOrder buffer!ImageBuffer@18- format!ImageFormat@18- colormap=Colormap@18- depth_range=ValueRange@19-",
  "DisconnectedSpace disconnected_space!DisconnectedSpace~@-21",
  "Ellipsoids3D half_sizes!HalfSize3D@18- centers=PoseTranslation3D@18- rotation_axis_angles=PoseRotationAxisAngle@18- quaternions=PoseRotationQuat@18- colors=Color@18- line_radii=Radius@18- fill_mode=FillMode@18- labels=Text@18- class_ids=ClassId@18- show_labels=ShowLabels@19-",
  "EncodedImage blob!Blob@18- media_type=MediaType@18- opacity=Opacity@18- draw_order=DrawOrder@18-",
  "GeoLineStrings line_strings!GeoLineString@20- radii=Radius@20- colors=Color@20-",
  "GeoPoints positions!LatLon@20- radii=Radius@20- colors=Color@20- class_ids=ClassId@20-",
  "GraphEdges edges!GraphEdge@21- graph_type=GraphType@21-",
  "GraphNodes node_ids!GraphNode@21- positions=Position2D@21- colors=Color@21- labels=Text@21- show_labels=ShowLabels@21- radii=Radius@21-",
  "Image data!TensorData~@-17 opacity=Opacity draw_order=DrawOrder buffer!ImageBuffer@18- format!ImageFormat@18-",
  "InstancePoses3D translations=PoseTranslation3D@18- rotation_axis_angles=PoseRotationAxisAngle@18- quaternions=PoseRotationQuat@18- scales=PoseScale3D@18- mat3x3=PoseTransformMat3x3@18-",
  "LineStrips2D strips!LineStrip2D radii=Radius colors=Color labels=Text draw_order=DrawOrder class_ids=ClassId show_labels=ShowLabels@19-",
  "LineStrips3D strips!LineStrip3D radii=Radius colors=Color labels=Text class_ids=ClassId show_labels=ShowLabels@19-",
  "Mesh3D vertex_positions!Position3D triangle_indices=TriangleIndices vertex_normals=Vector3D vertex_colors=Color vertex_texcoords=Texcoord2D mesh_material=Material~@-17 albedo_texture=TensorData~@-17 class_ids=ClassId albedo_factor=AlbedoFactor@18- albedo_texture_buffer=ImageBuffer@18- albedo_texture_format=ImageFormat@18-",
  "Pinhole image_from_camera!PinholeProjection resolution=Resolution camera_xyz=ViewCoordinates image_plane_distance=ImagePlaneDistance",
  "Points2D positions!Position2D radii=Radius colors=Color labels=Text draw_order=DrawOrder class_ids=ClassId keypoint_ids=KeypointId show_labels=ShowLabels@19-",
  "Points3D positions!Position3D radii=Radius colors=Color labels=Text class_ids=ClassId keypoint_ids=KeypointId show_labels=ShowLabels@19-",
  "Scalar scalar!Scalar",
  "SegmentationImage data!TensorData~@-17 opacity=Opacity draw_order=DrawOrder buffer!ImageBuffer@18- format!ImageFormat@18-",
  "SeriesLine color=Color width=StrokeWidth name=Name aggregation_policy=AggregationPolicy~@-17 aggregation_policy=AggregationPolicy@18-",
  "SeriesPoint color=Color marker=MarkerShape~@-17 name=Name marker_size=MarkerSize marker=MarkerShape@18-",
  "Tensor data!TensorData~@-21 value_range=ValueRange@19- data!TensorData@22-",
  "TextDocument text!Text media_type=MediaType",
  "TextLog text!Text level=TextLogLevel color=Color",
  "Transform3D transform!Transform3D~@-17 axis_length=AxisLength translation=Translation3D@18- rotation_axis_angle=RotationAxisAngle@18- quaternion=RotationQuat@18- scale=Scale3D@18- mat3x3=TransformMat3x3@18- relation=TransformRelation@18-",
  "VideoFrameReference timestamp!VideoTimestamp@19- video_reference=EntityPath@19-",
  "ViewCoordinates xyz!ViewCoordinates",
  "blueprint.Background kind!blueprint.BackgroundKind~@-17 color=Color kind!blueprint.BackgroundKind@18-",
  "blueprint.ContainerBlueprint container_kind!blueprint.ContainerKind~@-17 display_name=Name contents=blueprint.IncludedContent col_shares=blueprint.ColumnShare row_shares=blueprint.RowShare active_tab=blueprint.ActiveTab visible=blueprint.Visible grid_columns=blueprint.GridColumns container_kind!blueprint.ContainerKind@18-",
  "blueprint.DataframeQuery timeline=blueprint.TimelineName@18- kind=blueprint.QueryKind~@18-18 latest_at_queries=blueprint.LatestAtQueries~@18-18 time_range_queries=blueprint.TimeRangeQueries~@18-18 filter_by_range=blueprint.FilterByRange@19- filter_is_not_null=blueprint.FilterIsNotNull@19- apply_latest_at=blueprint.ApplyLatestAt@19- select=blueprint.SelectedColumns@19-",
  "blueprint.ForceCenter enabled=blueprint.Enabled@21- strength=blueprint.ForceStrength@21-",
  "blueprint.ForceCollisionRadius enabled=blueprint.Enabled@21- strength=blueprint.ForceStrength@21- iterations=blueprint.ForceIterations@21-",
  "blueprint.ForceLink enabled=blueprint.Enabled@21- distance=blueprint.ForceDistance@21- iterations=blueprint.ForceIterations@21-",
  "blueprint.ForceManyBody enabled=blueprint.Enabled@21- strength=blueprint.ForceStrength@21-",
  "blueprint.ForcePosition enabled=blueprint.Enabled@21- strength=blueprint.ForceStrength@21- position=Position2D@21-",
  "blueprint.LineGrid3D visible=blueprint.Visible@21- spacing=blueprint.GridSpacing@21- plane=Plane3D@21- stroke_width=StrokeWidth@21- color=Color@21-",
  "blueprint.MapBackground provider=blueprint.MapProvider@20-",
  "blueprint.MapZoom zoom=blueprint.ZoomLevel@20-",
  "blueprint.NearClipPlane near_clip_plane=blueprint.NearClipPlane@21-",
  "blueprint.PanelBlueprint state=blueprint.PanelState~@-17 state=blueprint.PanelState@18-",
  "blueprint.PlotLegend corner=blueprint.Corner2D~@-17 visible=blueprint.Visible corner=blueprint.Corner2D@18-",
  "blueprint.ScalarAxis range=Range1D zoom_lock=blueprint.LockRangeDuringZoom",
  "blueprint.SpaceViewBlueprint class_identifier!blueprint.SpaceViewClass@-20 display_name=Name@-20 space_origin=blueprint.SpaceViewOrigin@-20 visible=blueprint.Visible@-20",
  "blueprint.SpaceViewContents query=blueprint.QueryExpression@-20",
  "blueprint.TensorScalarMapping mag_filter=MagnificationFilter~@-17 colormap=Colormap~@-17 gamma=GammaCorrection mag_filter=MagnificationFilter@18- colormap=Colormap@18-",
  "blueprint.TensorSliceSelection width=TensorWidthDimension height=TensorHeightDimension indices=TensorDimensionIndexSelection slider=blueprint.TensorDimensionIndexSlider",
  "blueprint.TensorViewFit scaling=blueprint.ViewFit~@-17 scaling=blueprint.ViewFit@18-",
  "blueprint.TimeRangeTableOrder sort_key=blueprint.SortKey~@18-18 sort_order=blueprint.SortOrder~@18-18",
  "blueprint.ViewBlueprint class_identifier!blueprint.ViewClass@21- display_name=Name@21- space_origin=blueprint.ViewOrigin@21- visible=blueprint.Visible@21-",
  "blueprint.ViewContents query=blueprint.QueryExpression@21-",
  "blueprint.ViewportBlueprint root_container=blueprint.RootContainer maximized=blueprint.SpaceViewMaximized@-20 auto_layout=blueprint.AutoLayout auto_space_views=blueprint.AutoSpaceViews@-20 past_viewer_recommendations=blueprint.ViewerRecommendationHash maximized=blueprint.ViewMaximized@21- auto_views=blueprint.AutoViews@21-",
  "blueprint.VisibleTimeRanges ranges!blueprint.VisibleTimeRange",
  "blueprint.VisualBounds2D range!blueprint.VisualBounds2D",
];
