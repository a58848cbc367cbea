"""What machines draw, as curves: servers by load and inlet temperature, a coil by temperature, flow and part load."""

from __future__ import annotations

from rewardloop.zygote.model import Model, Objects

_LIMITS = {"minimum_value_of_x": -10.0, "maximum_value_of_x": 99.0}


def curves() -> Objects:
    """All of them, by the names that halls use.

    `Servers power, hot`, `Servers air, hot` and `Coil input by temperature, pumped` are those of EnergyPlus's example file
    1ZoneDataCenterCRAC_wPumpedDXCoolingCoil, which the task of 2019 was made of: one more of the rated power for every 15 K above
    15 °C, which makes the coldest air the cheapest, and a compressor that rests while it is cold outdoors (the file's own quadratic
    fit of the maker's table). `Servers power` is what present servers do: flat to 25 °C, then their fans speed up.
    """
    return {
        "Curve:Biquadratic": {
            "Servers power, hot": _plane(-1.0, 1.0, 0.06667),
            "Servers air, hot": _plane(-1.4, 0.9, 0.1),
            "Servers power": _plane(0.3, 0.7, 0.0),
            "Servers air": _bowl((0.25, 0.6, 0.0, -0.012, 0.0006)),
            "One": _plane(1.0, 0.0, 0.0),
            "Coil capacity by temperature": _bowl((0.942587793, 0.009543347, 0.00068377, -0.011042676, 0.000005249, -0.00000972)),
            "Coil input by temperature, pumped": {
                **_bowl((0.1416159, 0.0, 0.0, 0.013828452, 0.00023872)),
                "minimum_value_of_y": -10.0,
                "maximum_value_of_y": 46.1,
                "minimum_curve_output": 0.04,
                "maximum_curve_output": 1.4,
            },
            "Coil input by temperature": _bowl((0.342414409, 0.034885008, -0.0006237, 0.004977216, 0.000437951, -0.000728028)),
        },
        "Curve:Quadratic": {
            "Server fans": _parabola(0.0, 1.0),
            "Flat": _parabola(1.0, 0.0),
            "Coil capacity by flow": _parabola(0.8, 0.2, 0.5, 1.5),
            "Coil input by flow": {**_parabola(1.1552, -0.1808, 0.5, 1.5), "coefficient3_x_2": 0.0256},
            "Coil part load": _parabola(0.85, 0.15, 0.0, 1.0),
        },
    }


def _plane(constant: float, x: float, y: float) -> Model:
    return _bowl((constant, x, 0.0, y, 0.0))


def _bowl(coefficients: tuple[float, ...]) -> Model:
    keys = ("coefficient1_constant", "coefficient2_x", "coefficient3_x_2", "coefficient4_y", "coefficient5_y_2", "coefficient6_x_y")
    padded = (*coefficients, *[0.0] * (len(keys) - len(coefficients)))
    limits = {**_LIMITS, "minimum_value_of_y": -50.0, "maximum_value_of_y": 99.0, "minimum_curve_output": 0.0}
    return {**dict(zip(keys, padded, strict=True)), **limits}


def _parabola(constant: float, x: float, low: float = 0.0, high: float = 99.0) -> Model:
    coefficients = {"coefficient1_constant": constant, "coefficient2_x": x, "coefficient3_x_2": 0.0}
    return {**coefficients, "minimum_value_of_x": low, "maximum_value_of_x": high}
