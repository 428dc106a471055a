"""Heat maps, contours, images and surfaces: numbers become colours as plotly makes them."""

from __future__ import annotations

import base64
from io import BytesIO

import numpy as np
import plotly.colors
import plotly.graph_objects as go
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.contour import QuadContourSet
from mpl_toolkits.mplot3d.art3d import Line3D, Poly3DCollection
from PIL import Image

from optiscope.errors import ArgumentError, CannotDraw
from optiscope.rendering import figure_to_matplotlib
from optiscope.rendering.printing.colours import parse_colour


def _mesh(axes: Axes) -> QuadMesh:
    return next(c for c in axes.collections if isinstance(c, QuadMesh))


def _colour_at(share: float, scale: str) -> tuple[float, ...]:
    return parse_colour(plotly.colors.sample_colorscale(scale, [share])[0])


def test_a_heat_map_holds_exactly_its_numbers_and_masks_what_is_not_finite() -> None:
    z = np.array([[1.0, 2.0, np.nan], [4.0, np.inf, 6.0]])
    array = _mesh(figure_to_matplotlib(go.Figure(go.Heatmap(z=z))).axes[0]).get_array()
    np.testing.assert_array_equal(np.ma.getmaskarray(array), ~np.isfinite(z))
    np.testing.assert_array_equal(array.compressed(), z[np.isfinite(z)])


def test_none_in_a_list_is_a_gap_too() -> None:
    array = _mesh(figure_to_matplotlib(go.Figure(go.Heatmap(z=[[1, None], [3, 4]]))).axes[0]).get_array()
    assert np.ma.getmaskarray(array).tolist() == [[False, True], [False, False]]


@pytest.mark.parametrize("scale", ["Viridis", "RdBu", "Cividis"])
def test_cells_have_plotlys_colours(scale: str) -> None:
    z = np.linspace(0, 1, 9)[None, :]
    mesh = _mesh(figure_to_matplotlib(go.Figure(go.Heatmap(z=z, colorscale=scale))).axes[0])
    expected = [_colour_at(share, scale) for share in z[0]]
    np.testing.assert_allclose(mesh.to_rgba(z[0]), expected, atol=1.5 / 255)


def test_a_middle_is_given_the_middle_of_the_scale() -> None:
    mesh = _mesh(figure_to_matplotlib(go.Figure(go.Heatmap(z=[[-1, 0, 4]], zmid=0, colorscale="RdBu"))).axes[0])
    assert (mesh.norm.vmin, mesh.norm.vmax) == (-4, 4)


def test_limits_and_a_reversed_scale_are_kept() -> None:
    trace = go.Heatmap(z=[[0, 1]], zmin=-1, zmax=3, colorscale="Viridis", reversescale=True)
    mesh = _mesh(figure_to_matplotlib(go.Figure(trace)).axes[0])
    assert (mesh.norm.vmin, mesh.norm.vmax) == (-1, 3)
    np.testing.assert_allclose(mesh.to_rgba(np.array([-1.0]))[0], _colour_at(1.0, "Viridis"), atol=1 / 255)


def test_cells_lie_around_their_centres_and_between_given_borders() -> None:
    centred = _mesh(figure_to_matplotlib(go.Figure(go.Heatmap(x=[0, 1, 3], y=[0, 1], z=np.ones((2, 3))))).axes[0])
    np.testing.assert_allclose(centred.get_coordinates()[0, :, 0], [-0.5, 0.5, 2, 4])
    between = _mesh(figure_to_matplotlib(go.Figure(go.Heatmap(x=[0, 1, 3, 4], y=[0, 1], z=np.ones((2, 3))))).axes[0])
    np.testing.assert_allclose(between.get_coordinates()[0, :, 0], [0, 1, 3, 4])


def test_cells_on_a_logarithmic_axis_meet_at_the_geometric_middle() -> None:
    figure = go.Figure(go.Heatmap(x=[1, 100], y=[0, 1], z=np.ones((2, 2)))).update_xaxes(type="log")
    axes = figure_to_matplotlib(figure).axes[0]
    np.testing.assert_allclose(_mesh(axes).get_coordinates()[0, :, 0], [0.1, 10, 1000])


def test_names_of_layers_become_categories_in_order() -> None:
    names = ["conv1.weight", "conv1.bias", "fc.weight"]
    axes = figure_to_matplotlib(go.Figure(go.Heatmap(y=names, z=np.ones((3, 4))))).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == names
    assert axes.get_ylim() == (-0.5, 2.5)


def test_the_colour_bar_has_the_ticks_and_the_title_of_the_figure() -> None:
    bar = {"tickvals": [-2, 0, 2], "ticktext": ["10<sup>−2</sup>", "1", "100"], "title": {"text": "norm"}}
    figure = go.Figure(go.Heatmap(z=[[-3, 3]], colorbar=bar))
    (axes,) = (axes for axes in figure_to_matplotlib(figure).axes if axes.get_label() == "colour bar")
    assert list(axes.get_yticks()) == [-2, 0, 2]
    assert [label.get_text() for label in axes.get_yticklabels()][1:] == ["1", "100"]
    assert axes.texts[0].get_text() == "norm"


def test_a_shared_colour_axis_spans_all_its_traces_and_has_one_bar() -> None:
    figure = go.Figure([go.Heatmap(z=[[0, 1]], coloraxis="coloraxis"), go.Heatmap(z=[[5, 9]], coloraxis="coloraxis")])
    printed = figure_to_matplotlib(figure)
    meshes = [c for c in printed.axes[0].collections if isinstance(c, QuadMesh)]
    assert [(mesh.norm.vmin, mesh.norm.vmax) for mesh in meshes] == [(0, 9), (0, 9)]
    assert sum(axes.get_label() == "colour bar" for axes in printed.axes) == 1


def test_positions_that_do_not_fit_the_cells_are_refused() -> None:
    with pytest.raises(ArgumentError, match="3 cells"):
        figure_to_matplotlib(go.Figure(go.Heatmap(x=[1, 2], z=[[1, 2, 3]])))


@pytest.mark.parametrize("attributes", [{"zsmooth": "best"}, {"connectgaps": True}, {"xperiod": 1}])
def test_heat_map_attributes_that_cannot_be_drawn_raise(attributes: dict[str, object]) -> None:
    with pytest.raises(CannotDraw, match=next(iter(attributes))):
        figure_to_matplotlib(go.Figure(go.Heatmap(z=[[1, 2], [3, 4]], **attributes)))


def test_numbers_are_written_into_cells_when_the_figure_asks() -> None:
    figure = go.Figure(go.Heatmap(z=[[0.123, 2.0]], texttemplate="%{z:.1f}"))
    assert [text.get_text() for text in figure_to_matplotlib(figure).axes[0].texts] == ["0.1", "2.0"]


def test_contour_levels_are_those_of_the_figure() -> None:
    z = np.add.outer(np.linspace(0, 1, 20) ** 2, np.linspace(0, 1, 20))
    trace = go.Contour(z=z, contours={"start": 0.2, "end": 1.8, "size": 0.4})
    sets = [c for c in figure_to_matplotlib(go.Figure(trace)).axes[0].collections if isinstance(c, QuadContourSet)]
    filled, lines = sets
    np.testing.assert_allclose(lines.levels, [0.2, 0.6, 1.0, 1.4, 1.8])
    np.testing.assert_allclose(filled.levels, [0.2, 0.6, 1.0, 1.4, 1.8])
    # Six bands share the scale evenly, the outermost with its end colours.
    scale = "Plasma"
    np.testing.assert_allclose(
        filled.get_facecolor()[[0, -1]][:, :3], [_colour_at(0, scale)[:3], _colour_at(1, scale)[:3]], atol=2 / 255
    )


def test_contours_of_constraints_are_refused() -> None:
    with pytest.raises(CannotDraw, match=r"contours\.type"):
        figure_to_matplotlib(go.Figure(go.Contour(z=np.eye(3), contours={"type": "constraint"})))


def test_an_image_keeps_its_pixels_and_counts_rows_downwards() -> None:
    z = np.arange(24).reshape(2, 4, 3) * 10
    axes = figure_to_matplotlib(go.Figure(go.Image(z=z))).axes[0]
    np.testing.assert_allclose(axes.images[0].get_array()[..., :3], z / 255)
    assert axes.get_ylim()[0] > axes.get_ylim()[1]


def test_pixels_of_an_image_are_square() -> None:
    printed = figure_to_matplotlib(go.Figure(go.Image(z=np.zeros((2, 8, 3)))), width_px=600, height_px=600)
    box = printed.axes[0].get_position()
    assert box.width / 8 == pytest.approx(box.height / 2, rel=1e-6)


def test_an_image_from_a_data_uri_is_read() -> None:
    buffer = BytesIO()
    Image.fromarray(np.full((2, 2, 3), 51, dtype=np.uint8)).save(buffer, "PNG")
    source = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    image = figure_to_matplotlib(go.Figure(go.Image(source=source))).axes[0].images[0]
    np.testing.assert_allclose(image.get_array()[..., :3], 0.2)


def test_an_image_from_the_network_is_refused() -> None:
    with pytest.raises(CannotDraw, match="fetches nothing"):
        figure_to_matplotlib(go.Figure(go.Image(source="https://example.org/x.png")))


def test_a_surface_has_one_coloured_piece_between_four_points_and_none_at_a_gap() -> None:
    z = np.arange(12.0).reshape(3, 4)
    z[0, 0] = np.nan
    printed = figure_to_matplotlib(go.Figure(go.Surface(z=z, colorscale="Viridis", showscale=False)))
    (pieces,) = (c for c in printed.axes[0].collections if isinstance(c, Poly3DCollection))
    assert len(pieces._faces) == 5
    expected = _colour_at((z[1:3, 0:2].mean() - 1) / 10, "Viridis")
    np.testing.assert_allclose(pieces._facecolor3d[2], expected, atol=2 / 255)


def test_a_path_in_space_keeps_its_numbers_and_the_camera_its_angle() -> None:
    figure = go.Figure(go.Scatter3d(x=[0, 1, 2], y=[0, 1, 4], z=[0, 1, 8], mode="lines"))
    figure.update_layout(scene={"camera": {"eye": {"x": 0, "y": -2, "z": 2}}, "xaxis": {"title": {"text": "w1"}}})
    axes = figure_to_matplotlib(figure).axes[0]
    (path,) = (line for line in axes.lines if isinstance(line, Line3D))
    np.testing.assert_array_equal(np.array(path.get_data_3d()), [[0, 1, 2], [0, 1, 4], [0, 1, 8]])
    assert (axes.azim, axes.elev) == pytest.approx((-90, 45))
    assert axes.get_xlabel() == "w1"


@pytest.mark.parametrize(
    "trace",
    [
        go.Surface(z=np.eye(3), contours={"z": {"show": True}}),
        go.Surface(z=np.eye(3), hidesurface=True),
        go.Scatter3d(x=[1], y=[1], z=[1], projection={"x": {"show": True}}),
        go.Scatter3d(x=[1], y=[1], z=[1], surfaceaxis=1),
    ],
)
def test_parts_of_3d_traces_that_cannot_be_drawn_raise(trace: go.Surface | go.Scatter3d) -> None:
    with pytest.raises(CannotDraw):
        figure_to_matplotlib(go.Figure(trace))


@pytest.mark.parametrize(
    "scene",
    [
        {"annotations": [{"x": 0, "y": 0, "z": 0, "text": "a"}]},
        {"camera": {"up": {"x": 1, "y": 0, "z": 0}}},
        {"xaxis": {"tickangle": 30}},
    ],
)
def test_parts_of_scenes_that_cannot_be_drawn_raise(scene: dict[str, object]) -> None:
    with pytest.raises(CannotDraw):
        figure_to_matplotlib(go.Figure(go.Surface(z=np.eye(3)), layout={"scene": scene}))
